"""What was bound is closed before somebody else wants its address."""

from __future__ import annotations

import socket as system
from pathlib import Path
from typing import Any

import pytest
import zmq

from hub.backends.zeromq.sockets import CLOSE_WAIT, await_closed
from tests.support import free_port


@pytest.fixture
def context() -> Any:
    made = zmq.Context()
    yield made
    made.destroy(linger=0)


def real(socket: Any) -> str:
    last: bytes = socket.LAST_ENDPOINT
    return last.decode()


@pytest.mark.parametrize("wanted", ["tcp://127.0.0.1:*", "tcp://0.0.0.0:*", "ipc"])
def test_what_was_unbound_can_be_bound_again_at_once(context: Any, tmp_path: Path, wanted: str) -> None:
    for _ in range(20):
        socket, other = context.socket(zmq.SUB), context.socket(zmq.SUB)
        socket.bind(f"ipc://{tmp_path}/s" if wanted == "ipc" else wanted)
        place = real(socket)
        socket.unbind(place)
        await_closed([place])
        other.bind(place)
        other.close(linger=0)
        socket.close(linger=0)
        await_closed([place])


def test_one_that_stays_bound_is_not_waited_for_without_end() -> None:
    times = iter([0.0, 0.0, CLOSE_WAIT / 2, CLOSE_WAIT])
    slept: list[float] = []
    with system.socket() as somebody:
        somebody.bind(("127.0.0.1", free_port()))
        somebody.listen()
        await_closed([f"tcp://127.0.0.1:{somebody.getsockname()[1]}"], lambda: next(times), slept.append)
    assert len(slept) == 2
