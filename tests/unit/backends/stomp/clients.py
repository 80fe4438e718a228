"""A started STOMP client on the tests' reactor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hub.backends.stomp.client import StompClient
from hub.backends.stomp.client_settings import Config
from tests.unit.backends.support import Lines, Recorder, hub_context, stop, turn_until


def settings(*ports: int, **given: Any) -> Config:
    """Settings for brokers on these ports of loopback."""
    connect = [f"stomp://127.0.0.1:{port}" for port in ports]
    return Config(**{"connect": connect, "destinations": ["/queue/a.b"], **given})


def no_delay(least: float, most: float) -> float:
    """The shortest delay there may be."""
    return least


def make(*ports: int, lines: Lines | None = None, **given: Any) -> StompClient:
    """A client that is not started. It tries again without delays."""
    return StompClient(hub_context(settings(*ports, **given), lines), uniform=no_delay)


def connected(client: StompClient) -> None:
    """Wait until the broker has confirmed all subscriptions."""
    turn_until(lambda: client.status()["state"] == "connected", lambda: f"the connection: {client.status()}")


@contextmanager
def running(
    *ports: int, lines: Lines | None = None, wait: bool = True, **given: Any
) -> Iterator[tuple[StompClient, Recorder]]:
    """A started client and its intake; stopped at the end."""
    client, intake = make(*ports, lines=lines, **given), Recorder()
    client.start(intake)
    try:
        if wait:
            connected(client)
        yield client, intake
    finally:
        stop(client)
