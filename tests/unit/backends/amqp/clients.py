"""A started AMQP client on the tests' reactor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hub.backends.amqp.client import AmqpClient
from hub.backends.amqp.settings import Config
from tests.unit.backends.stomp.clients import no_delay
from tests.unit.backends.support import Lines, Recorder, hub_context, stop, turn_until


def settings(*ports: int, **given: Any) -> Config:
    """Settings for brokers on these ports of loopback, without heart-beats: a test may hold up the reactor."""
    connect = [f"amqp://127.0.0.1:{port}" for port in ports]
    return Config(**{"connect": connect, "queues": {"q": {}}, "heart_beat": 0, **given})


def make(*ports: int, lines: Lines | None = None, **given: Any) -> AmqpClient:
    """A client that is not started. It tries again without delays."""
    return AmqpClient(hub_context(settings(*ports, **given), lines), uniform=no_delay)


def connected(client: AmqpClient) -> None:
    """Wait until the broker has confirmed all subscriptions."""
    turn_until(lambda: client.status()["state"] == "connected", lambda: f"the connection: {client.status()}", 30)


@contextmanager
def running(
    *ports: int, lines: Lines | None = None, wait: bool = True, **given: Any
) -> Iterator[tuple[AmqpClient, Recorder]]:
    """A started client and its intake; stopped at the end."""
    client, intake = make(*ports, lines=lines, **given), Recorder()
    client.start(intake)
    try:
        if wait:
            connected(client)
        yield client, intake
    finally:
        stop(client)
