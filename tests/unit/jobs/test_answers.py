"""Limits for the silence of a server, by a clock that the test moves."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from hub.errors import Unavailable
from hub.jobs import Jobs, ShardedJobs
from hub.jobs.postgresql.answers import AnswerLimits
from tests.support import wait_until
from tests.unit.jobs.programs import Time


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, servers = socket.socketpair()
    with ours, servers:
        yield ours, servers


def limits(time: Time) -> AnswerLimits:
    tick = threading.Event()
    return AnswerLimits(time, lambda _: tick.wait(0.001))


def test_a_connection_is_shut_whose_answer_does_not_come(pair: tuple[socket.socket, socket.socket]) -> None:
    time = Time()
    guard = limits(time)
    first, second = guard.begin(pair[0], 5.0), guard.begin(pair[1], 50.0)
    time.now += 6.0
    assert pair[0].recv(1) == b""
    assert (guard.end(first), guard.end(second)) == (True, False)


def test_one_that_comes_in_time_leaves_the_connection_as_it_was(pair: tuple[socket.socket, socket.socket]) -> None:
    time = Time()
    guard = limits(time)
    for _ in range(100):
        assert not guard.end(guard.begin(pair[0], 5.0))
        time.now += 10.0
    pair[1].send(b"x")
    assert pair[0].recv(1) == b"x"
    wait_until(lambda: not guard._watched, 20, "its thread to end")
    guard.end(guard.begin(pair[0], 5.0))
    assert guard._watched


def test_a_socket_that_has_come_into_its_place_is_not_shut() -> None:
    time = Time()
    guard = limits(time)
    ours, servers = socket.socketpair()
    answer = guard.begin(ours, 5.0)
    number = ours.fileno()
    ours.close()
    other, peer = socket.socketpair()
    try:
        assert number in (other.fileno(), peer.fileno())
        time.now += 6.0
        wait_until(lambda: answer.passed, 20, "the limit to pass")
        assert servers.recv(1) == b""
        other.send(b"x")
        assert peer.recv(1) == b"x"
    finally:
        guard.end(answer)
        for one in (servers, other, peer):
            one.close()


class SilentServer:
    """Takes connections, and never answers. :param hello: what it says to each at first, as a pooler does."""

    def __init__(self, hello: bytes = b"") -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._hello = hello
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            if self._hello:
                connection.recv(4096)
                connection.sendall(self._hello)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for connection in self._open:
            connection.close()


WELCOME = b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I"
"""AuthenticationOk and ReadyForQuery."""


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
@pytest.mark.parametrize("hello", [b"", WELCOME], ids=["nothing", "a pooler's welcome"])
def test_a_call_ends_whose_server_is_silent_from_the_beginning(driver: str, hello: bytes) -> None:
    pytest.importorskip(driver)
    server = SilentServer(hello)
    try:
        url = f"postgresql+{driver}://x@127.0.0.1:{server.port}/x?sslmode=disable&gssencmode=disable"
        with Jobs(url, timeout=0.5) as jobs:
            for _ in range(2):
                with pytest.raises(Unavailable):
                    jobs.counts()
    finally:
        server.close()


def test_the_other_databases_do_the_work_of_one_that_is_silent(tmp_path: os.PathLike[str]) -> None:
    pytest.importorskip("psycopg2")
    server = SilentServer()
    try:
        dsns = [f"postgresql://x@127.0.0.1:{server.port}/x", f"sqlite:///{tmp_path}/jobs.db"]
        with ShardedJobs(dsns, rest="1h", timeout=0.5) as jobs:
            for number in range(4):
                jobs.insert("q", number)
            assert jobs.away == [0]
            assert len(jobs.claim(10)) == 4
    finally:
        server.close()


def test_several_databases_are_kept_alive_while_one_is_away(tmp_path: os.PathLike[str]) -> None:
    pytest.importorskip("psycopg2")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    dsns = [f"postgresql://x@127.0.0.1:{port}/x", f"sqlite:///{tmp_path}/jobs.db"]
    with ShardedJobs(dsns, rest="1h") as jobs, jobs.keep_alive():
        jobs.insert("q", 1)
        jobs.insert("q", 2)
        assert jobs.away == [0]
        jobs.complete(jobs.claim(2))
        assert jobs.counts() == {}
