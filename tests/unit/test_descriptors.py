"""The operator is told once that there are no file descriptors left."""

from __future__ import annotations

import errno
import os
from typing import Any

from twisted.internet.protocol import ServerFactory
from twisted.internet.task import Clock
from twisted.internet.tcp import Port

from hub.descriptors import Descriptors, take
from tests.unit.doubles import RecordingLog


def none() -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


class Doors(Clock):
    """A reactor, as far as who listens is concerned."""

    def __init__(self) -> None:
        super().__init__()
        self.readers: set[Any] = set()
        self.addReader, self.removeReader = self.readers.add, self.readers.discard
        self.removeWriter = self.readers.discard

    def getReaders(self) -> list[Any]:
        return list(self.readers)

    def door(self) -> Any:
        factory: Any = ServerFactory()
        port = Port(0, factory, interface="127.0.0.1", reactor=self)
        port.startListening()
        return port


def test_it_is_told_once_and_once_more_when_it_is_over() -> None:
    log, takes = RecordingLog(), [take, none, none, take, take, none]
    descriptors = Descriptors(log, Doors(), lambda: takes.pop(0)())
    while takes:
        descriptors.look()
    assert [record.levelname for record in log.records] == ["ERROR", "INFO", "ERROR"]
    assert "Too many open files" in log.lines()[0]


def test_looking_keeps_none() -> None:
    before = os.listdir("/proc/self/fd")
    Descriptors(RecordingLog(), Doors()).look()
    assert os.listdir("/proc/self/fd") == before


def test_nobody_is_let_in_until_there_are_some_and_a_door_that_was_closed_stays_closed() -> None:
    doors, takes = Doors(), [none, none, take]
    other, one, two = object(), doors.door(), doors.door()
    doors.addReader(other)
    descriptors = Descriptors(RecordingLog(), doors, lambda: takes.pop(0)())
    descriptors.look()
    assert doors.readers == {other}
    three = doors.door()
    descriptors.look()
    two.stopListening()
    doors.advance(0)
    descriptors.look()
    assert doors.readers == {other, one, three}
    for door in (one, three):
        door.stopListening()
    doors.advance(0)
