"""Protocol between the hub and the parts that make it a node of a cluster, and the context of such a part."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from hub.interfaces import Clock
from hub.message import Message
from hub.settings import Settings

CHECK_EVERY = 1.0
"""Seconds between two looks for silent nodes."""


@dataclass(frozen=True)
class ClusterContext:
    """The context that a node's view of a cluster is made with.

    :ivar monotonic: seconds. :ivar wall: epoch seconds. :ivar start: a random number of this start, 32 hexadecimal
        digits. :ivar state_dir: no two hubs of a machine have the same.
    :ivar snapshot: makes the status document. :ivar shared: names of the queues that hubs share by their database.
    :ivar send: gives a body to the bus, under a topic, at once or not at all: it waits in no outbox.
        ``None``: it is sent. It may raise, or fail with, a ``HubError``: it is not.
    :ivar deaf: why the bus gives this hub no messages now; ``None``: it does.
    :ivar echoes: whether the bus is known to give this hub its own announcements, too.
    :ivar follows: the start of the view that this one replaces at a reload; ``None``: of none.
    """

    name: str
    config: Any
    log: logging.LoggerAdapter[logging.Logger]
    monotonic: Clock
    wall: Clock
    start: str
    state_dir: Path
    snapshot: Callable[[], Mapping[str, Any]]
    shared: Callable[[], frozenset[str]]
    send: Callable[[str, bytes], Deferred[None] | None]
    deaf: Callable[[], str | None]
    echoes: Callable[[], bool]
    follows: str | None


class ClusterView(Protocol):
    """A part ``[clusters.NAME]``: it announces this hub to others, and knows what they announce. All methods are called
    in the reactor's thread."""

    Config: type[Settings]
    topic: str
    """The topic of the announcements. No message of it reaches a queue, whatever bus it comes from."""
    backend: str
    """Name of the backend on whose bus they are."""
    interval: float
    """Seconds between two announcements."""

    def __init__(self, context: ClusterContext) -> None: ...

    def start(self) -> None:
        """Begin. :raises HubError: it can't; the text says why (a key that can't be read)."""

    def hear(self, messages: Sequence[Message]) -> None:
        """Take in messages of the topic, of any backend."""

    def announce(self) -> None:
        """Announce this hub. Called at the start, and periodically."""

    def check(self) -> None:
        """Look for nodes that are silent. Called every second."""

    def leave(self, stops: bool) -> Deferred[None] | None:
        """Announce that this hub leaves. Fires when the bus has that.

        :param stops: the hub stops; else its settings have changed.
        """

    def status(self) -> Mapping[str, Any]:
        """Return the status, JSON-able: a :class:`hub.status.clusters.ClusterStatus` without its ``type``."""
