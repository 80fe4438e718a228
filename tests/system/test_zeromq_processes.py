"""The backend against a publisher in another process, which is killed and comes again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support import free_port
from tests.unit.backends.support import running, turn_until

pytestmark = pytest.mark.system

PUBLISHER = """
import sys, zmq
socket = zmq.Context().socket(zmq.XPUB)
socket.sndhwm = 0
socket.bind(sys.argv[1])
socket.recv()
for number in range(int(sys.argv[2])):
    socket.send_multipart([b"org.test.topic", b'{"i":%d,"pad":"%s"}' % (number, b"x" * 400)])
print("sent", flush=True)
sys.stdin.read()
"""


@contextmanager
def publishing(endpoint: str, count: int) -> Iterator[subprocess.Popen[bytes]]:
    """A publisher that sends once it is subscribed to, and stays until it is killed."""
    command = [sys.executable, "-c", PUBLISHER, endpoint, str(count)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_flood_from_another_process_arrives_whole_and_in_order() -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    with running(connect=[endpoint]) as (_, intake), publishing(endpoint, 50_000):
        turn_until(lambda: len(intake.messages) == 50_000, "50,000 messages", 60)
        assert [message.json()["i"] for message in intake.messages] == list(range(50_000))


def test_a_killed_publisher_is_heard_again_when_it_is_back() -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    with running(connect=[endpoint]) as (backend, intake):
        for round_ in range(1, 4):
            with publishing(endpoint, 100):
                turn_until(lambda: len(intake.messages) == 100 * round_, "100 messages more", 30)  # noqa: B023
            turn_until(lambda: backend.status()["disconnects"] == round_, "the disconnection")  # noqa: B023
            assert backend.status()["state"] == "connecting"
