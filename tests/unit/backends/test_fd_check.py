"""There has to be room for file descriptors before ZeroMQ is asked for what it takes them for."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator

import pytest

from hub.backends.zeromq.fd_check import need
from hub.errors import Unavailable

ROOM = 8


@pytest.fixture
def little_room() -> Iterator[None]:
    """For at least so many, and for as many more as have been closed among those of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    last = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (last + 1 + ROOM, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("little_room")
def test_where_there_is_room_nothing_is_kept() -> None:
    before = os.listdir("/proc/self/fd")
    need(ROOM)
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.usefixtures("little_room")
def test_where_there_is_none_that_is_said_and_nothing_is_kept() -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(Unavailable, match="it takes up to 100000 file descriptors: Too many open files"):
        need(100_000)
    assert os.listdir("/proc/self/fd") == before
