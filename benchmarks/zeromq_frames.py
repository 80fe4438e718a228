"""Measures receiving from ZeroMQ alone: ``python -m benchmarks.zeromq_frames``.

Each line is the time of one message in microseconds: the best of some rounds, in the own time of the thread that reads.
A plain publisher sends over TCP; all has arrived before it is read. What is read goes to an intake that does nothing.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec
import zmq

from hub.backends.zeromq.frames import Parser
from hub.backends.zeromq.reader import Reader
from hub.interfaces import Answer
from hub.message import Message

MESSAGES = 2000
ROUNDS = 30
SIZES = (200, 500, 2000)
"""Bytes of a body, about."""
TOPIC = "org.fedoraproject.prod.git.receive"


class Nowhere:
    """An intake that keeps nothing."""

    def receive(self, messages: list[Message], tokens: Any = (), answer: Answer | None = None) -> None:
        """Do nothing."""

    def refuse(self, message: Message, reason: str) -> None:
        """Do nothing."""


def body_of(size: int) -> bytes:
    """A message as fedmsg publishes it, unsigned."""
    envelope = {"i": 1, "msg": {"text": "x" * size}, "topic": TOPIC, "msg_id": "2026-5c2a", "timestamp": 1.0}
    return msgspec.json.encode(envelope)


def measure(context: Any, size: int) -> float:
    """Seconds of one message."""
    publisher, subscriber = context.socket(zmq.PUB), context.socket(zmq.SUB)
    subscriber.set(zmq.RCVHWM, 0)
    publisher.set(zmq.SNDHWM, 0)
    subscriber.subscribe(b"")
    subscriber.connect(f"tcp://127.0.0.1:{publisher.bind_to_random_port('tcp://127.0.0.1')}")
    parser = Parser("bus", "fedmsg", 8 << 20, lambda message, reason: None, lambda *_: None)
    reader = Reader(subscriber, parser, Nowhere(), time.time, MESSAGES)
    while not subscriber.poll(10):
        publisher.send_multipart([b"first", b"{}"])
    pair, times = [TOPIC.encode(), body_of(size)], list[float]()
    for _ in range(ROUNDS):
        while subscriber.poll(100):
            reader.drain()
        for _ in range(MESSAGES):
            publisher.send_multipart(pair)
        time.sleep(0.3)  # until ZeroMQ's own thread has received them
        before, began = reader.received, time.thread_time()
        reader.drain()
        took = time.thread_time() - began
        times.append(took / max(1, reader.received - before))
    publisher.close(0)
    subscriber.close(0)
    return min(times)


def main() -> None:
    """Print a line for each size."""
    with zmq.Context() as context:
        for size in SIZES:
            print(f"a body of {len(body_of(size)):5} bytes {measure(context, size) * 1e6:6.2f} us")


if __name__ == "__main__":
    main()
