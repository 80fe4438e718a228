"""Real ZeroMQ publishers that number their messages, and a consumer that writes down which it was given."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import zmq

from tests.support import free_port, wait_until

TOPIC = "org.example.{name}"
RECORDER = """
from hub import Consumer

class Recorder(Consumer):
    threads = 1

    def start(self):
        self.file = open("seen", "a", buffering=1)

    def consume(self, message):
        self.file.write(f"{message.topic.rpartition('.')[2]} {message.json()['msg']}\\n")
"""
CONSUMER = '[consumers.recorder]\ntype = "recorder.py:Recorder"\n'


def place() -> str:
    """A free endpoint."""
    return f"tcp://127.0.0.1:{free_port()}"


def seen(directory: Path, name: str) -> list[int]:
    """The numbers of that publisher's messages, in the order in which the consumer was given them."""
    file = directory / "seen"
    pairs = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
    return [int(number) for who, number in pairs if who == name]


class Publisher:
    """One publisher. It says nothing before somebody has subscribed, unless it is told to."""

    def __init__(self, name: str, socket: Any) -> None:
        self.sent = 0
        self._topic = TOPIC.format(name=name).encode()
        self._socket = socket
        self._stop = threading.Event()

    def subscribed(self) -> None:
        """Wait until somebody has."""
        wait_until(lambda: self._socket.poll(10) and self._socket.recv().startswith(b"\x01"), 20, "a subscription")

    def send(self, count: int = 1) -> None:
        """So many more."""
        for _ in range(count):
            self._socket.send_multipart([self._topic, b'{"msg": %d}' % self.sent])
            self.sent += 1

    @contextmanager
    def flooding(self, count: int, pause: float) -> Iterator[None]:
        """Meanwhile, so many every so many seconds, in a thread of its own: nobody else may use it then."""

        def flood() -> None:
            while not self._stop.wait(pause):
                self.send(count)

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()


@contextmanager
def publisher(name: str, endpoint: str, *, bind: bool = True) -> Iterator[Publisher]:
    """It holds what is not read yet, without a bound, so what is lost is lost by somebody else."""
    context: Any = zmq.Context()
    try:
        socket = context.socket(zmq.XPUB)
        socket.sndhwm, socket.linger, socket.xpub_verboser = 0, 0, True
        (socket.bind if bind else socket.connect)(endpoint)
        yield Publisher(name, socket)
    finally:
        context.destroy(linger=0)
