"""Names that a shell completes, from the running hub."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from hub.configuration.reach import reach
from hub.control.client import Client

TIMEOUT = 1.0
"""Seconds that a shell waits at most for the hub: whoever pressed Tab looks at a dead terminal meanwhile."""


def queues(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Of all consumers, and of queues that belong to none."""
    return complete(context, incomplete, lambda client: client.get("/status")["consumers"])


def backends(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Of all backends."""
    return complete(context, incomplete, lambda client: client.get("/status")["backends"])


def complete(context: click.Context, incomplete: str, names: Callable[[Client], Any]) -> list[str]:
    """Those that begin so; none at all where no hub is to be found: a shell can't show errors."""
    try:
        path = context.params.get("path")
        # The shell has not replaced what it has not carried out yet.
        socket = reach(path and path.expanduser(), context.params.get("overrides") or ()).socket
        found = [str(name) for name in names(Client(socket, TIMEOUT))]
    except Exception:  # noqa: BLE001 - a completion that fails is only no completion
        return []
    return [name for name in found if name.startswith(incomplete) and name.isprintable()]


def queue_argument(function: Any) -> Any:
    """Add the argument NAME, completed by the shell."""
    return click.argument("name", shell_complete=queues)(function)
