"""A reactor that is turned by hand, an intake that records, and a backend on both."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import zmq
from twisted.internet.epollreactor import EPollReactor

from hub.backends.zeromq import Config, ZeroMQ
from hub.enqueuer import Enqueuer
from hub.interfaces import Answer, Backend, BackendContext, Receipt
from hub.message import Message
from hub.parts.declared_queue import Owner
from hub.router import Router
from hub.store.memory import MemoryStore
from hub.testing.stand_ins import declared_queues
from tests.support import PATIENCE, What

REACTOR: Any = EPollReactor()
"""A real reactor, never run and not installed: ``turn`` turns it. One for all tests, as it keeps descriptors."""


def turn_until(condition: Callable[[], object], what: What, timeout: float = 10.0) -> None:
    """Turn the reactor until it is so; fail after ``timeout`` seconds, see ``PATIENCE``."""
    timeout *= PATIENCE
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {timeout:g} s in vain for {what if isinstance(what, str) else what()}")
        REACTOR.iterate(0.01)


def turn_for(seconds: float) -> None:
    """Turn the reactor for a while, to see that something does *not* happen."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        REACTOR.iterate(0.01)


def configured(**settings: Any) -> Config:
    """The settings as from a file: paths and secrets are text."""
    return Config(**settings)


class Recorder:
    """An intake that keeps all batches."""

    def __init__(self) -> None:
        self.batches: list[list[Message]] = []
        self.tokens: list[Any] = []
        self.refused: list[tuple[Message, str]] = []

    def receive(self, messages: list[Message], tokens: Sequence[Any] = (), answer: Answer | None = None) -> None:
        self.batches.append(messages)
        self.tokens.extend(tokens)
        if answer is not None:
            answer(Receipt(len(messages)))

    def refuse(self, message: Message, reason: str) -> None:
        self.refused.append((message, reason))

    @property
    def messages(self) -> list[Message]:
        return [message for batch in self.batches for message in batch]

    @property
    def bodies(self) -> list[bytes]:
        return [message.body for message in self.messages]


class Lines(logging.Handler):
    """Keeps log lines."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.format(record))


def new_enqueuer() -> Enqueuer:
    """One that routes nothing, and shows messages to those who are subscribed."""
    return Enqueuer(Router([]), MemoryStore(), lambda: 1000.0, lambda: None)


def hub_context(
    config: Any, lines: Lines | None = None, reactor: Any = REACTOR, enqueuer: Enqueuer | None = None
) -> BackendContext:
    """What the hub gives a backend."""
    logger = logging.Logger("test")
    logger.addHandler(lines or Lines())
    store, enqueuer = MemoryStore(), enqueuer or new_enqueuer()
    queues = declared_queues(enqueuer, store).of(Owner("bus"))
    show, log = enqueuer.subscriptions.add, logging.LoggerAdapter(logger, {})
    return BackendContext("bus", config, reactor, log, lambda: 1000.0, show, queues)


def stop(backend: Backend) -> None:
    """Stop it, and wait until it has stopped."""
    done: list[object] = []
    result = backend.stop()
    if result is not None:
        result.addCallback(done.append)
        turn_until(lambda: done, "the backend's stop")


@contextmanager
def running(*patterns: str, lines: Any = None, **settings: Any) -> Iterator[tuple[ZeroMQ, Recorder]]:
    """A started ZeroMQ backend and its intake; stopped at the end. Without patterns it wants everything."""
    backend = ZeroMQ(hub_context(configured(**settings), lines))
    intake = Recorder()
    backend.subscribe(patterns or ["#"])
    backend.start(intake)
    try:
        yield backend, intake
    finally:
        stop(backend)


def real_endpoint(status: Mapping[str, Any], number: int = 0) -> str:
    """Where a backend is to be found that bound any port."""
    return str(status["endpoints"][number]["endpoint"])


@contextmanager
def publisher(endpoint: str, *, bind: Any = False, **options: Any) -> Iterator[Any]:
    """A plain pyzmq publisher, XPUB so that a subscription can be waited for."""
    context: Any = zmq.Context()
    try:
        socket = context.socket(zmq.XPUB)
        for name, value in ({"linger": 0, "sndhwm": 0} | options).items():
            setattr(socket, name, value)
        (socket.bind if bind else socket.connect)(endpoint)
        yield socket
    finally:
        context.destroy(linger=0)


def subscribed(socket: Any, timeout: float = 10.0) -> bytes:
    """The next subscription that the publisher hears of."""
    found: list[bytes] = []

    def heard() -> bool:
        if socket.poll(0):
            found.append(socket.recv())
        return bool(found)

    turn_until(heard, "a subscription", timeout)
    return found[0]
