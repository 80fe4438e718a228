"""Servers, through which people and programs reach the hub."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from hub.http.access import Auditor
from hub.http.verb import Mounts, Verb
from hub.interfaces.clock import Clock
from hub.settings import Settings


@dataclass(frozen=True)
class ServerContext:
    """The context that a server is made with."""

    name: str
    config: Any
    reactor: Any
    log: logging.LoggerAdapter[logging.Logger]
    wall: Clock
    """Epoch seconds."""
    state_dir: Path
    snapshot: Callable[[], Mapping[str, Any]]
    """Makes the status document. Call it in the reactor's thread."""
    verbs: Sequence[Verb]
    """The hub's own verbs, for a :class:`hub.http.api.Api` behind the server's guard. Their status is complete, with
    the texts of errors: a server for strangers has a verb of its own instead, as ``hub.monitoring.web`` does."""
    plugins: Callable[[], Mounts]
    """Returns the current verbs of plugins; a reload may change them."""
    audit: Auditor
    """The audit log, for actions other than verbs, which write to it by themselves."""


class Server(Protocol):
    """A server through which people and programs reach the hub, such as the web page. Belongs to the reactor's
    thread."""

    Config: type[Settings]

    def __init__(self, context: ServerContext) -> None: ...

    def start(self) -> Deferred[None] | None:
        """Start to listen. :raises HubError: it can't; the text says why (an address in use)."""

    def stop(self) -> Deferred[None] | None:
        """Stop listening, and disconnect clients."""

    def status(self) -> Mapping[str, Any]:
        """Return the status, JSON-able: at least ``state``; counts only grow."""
