"""A started Redis backend on the tests' reactor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from hub.backends.redis.client import Redis
from hub.backends.redis.settings import Config
from hub.errors import Unavailable
from hub.message import Message
from tests.unit.backends.support import Lines, Recorder, hub_context, stop, turn_until


def settings(port: int, **given: Any) -> Config:
    """Settings for a server on this port of loopback."""
    if "sentinels" not in given:
        given = {"connect": f"redis://127.0.0.1:{port}", **given}
    return Config(**{"streams": ["work"], **given})


def no_delay(least: float, most: float) -> float:
    """A short delay: so that attempts do not follow each other without one."""
    return min(most, 0.05)


def make(port: int, lines: Lines | None = None, **given: Any) -> Redis:
    """A backend that is not started. It tries again after short delays."""
    return Redis(hub_context(settings(port, **given), lines), uniform=no_delay)


def connected(backend: Redis, timeout: float = 10.0) -> None:
    """Wait until the server has confirmed everything."""
    turn_until(lambda: backend.status()["state"] == "connected", "the connection", timeout)


@contextmanager
def running(port: int, lines: Lines | None = None, wait: bool = True, **given: Any) -> Iterator[tuple[Redis, Recorder]]:
    """A started backend and its intake; stopped at the end."""
    backend, intake = make(port, lines, **given), Recorder()
    backend.start(intake)
    try:
        if wait:
            connected(backend)
        yield backend, intake
    finally:
        stop(backend)


def published(backend: Redis, *messages: Message, timeout: float = 60.0) -> None:
    """Publish until all are confirmed, as the hub's outbox does."""
    left, waiting = [*messages], set[str]()

    def ended(result: object, message: Message) -> None:
        waiting.discard(message.id)
        if result is None:
            left.remove(message)

    def all_confirmed() -> bool:
        for message in [] if waiting else [*left]:
            with suppress(Unavailable):
                sent = backend.publish(message)
                waiting.add(message.id)
                sent.addBoth(ended, message)
        return not left

    turn_until(all_confirmed, "the confirmations", timeout)


def outcomes(backend: Redis, *messages: Message, timeout: float = 20.0) -> list[Any]:
    """Publish, and wait for what becomes of each: ``None``, or an error."""
    found: list[Any] = []
    for message in messages:
        backend.publish(message).addBoth(lambda result: found.append(getattr(result, "value", result)))
    turn_until(lambda: len(found) == len(messages), f"{len(messages)} outcomes", timeout)
    return found
