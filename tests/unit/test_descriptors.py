"""The operator is told once that there are no file descriptors left."""

from __future__ import annotations

import errno
import os

from hub.descriptors import Descriptors, take
from tests.unit.doubles import RecordingLog


def none() -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_it_is_told_once_and_once_more_when_it_is_over() -> None:
    log, takes = RecordingLog(), [take, none, none, take, take, none]
    descriptors = Descriptors(log, lambda: takes.pop(0)())
    while takes:
        descriptors.look()
    assert [record.levelname for record in log.records] == ["ERROR", "INFO", "ERROR"]
    assert "Too many open files" in log.lines()[0]


def test_looking_keeps_none() -> None:
    before = os.listdir("/proc/self/fd")
    Descriptors(RecordingLog()).look()
    assert os.listdir("/proc/self/fd") == before
