"""Shell completion of names, which the running hub tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from hub.configuration.locate import locate
from hub.control.client import Client
from hub.status.rows import sums_queues

TIMEOUT = 1.0
"""Seconds that completion waits for the hub. It is short, because the terminal is blocked meanwhile."""


def queues(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a queue, orphans included."""
    return complete(context, incomplete, lambda client: _queues(client.get("/status")["consumers"]))


def _queues(rows: Mapping[str, Any]) -> list[str]:
    """Names of the rows that are a queue, and not the sums of many."""
    return [name for name, row in rows.items() if not sums_queues(row)]


def backends(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Complete the name of a backend."""
    return complete(context, incomplete, lambda client: client.get("/status")["backends"])


def complete(context: click.Context, incomplete: str, names: Callable[[Client], Any]) -> list[str]:
    """Names with the prefix ``incomplete``. None if no hub answers: a shell can't show errors."""
    try:
        path = context.params.get("path")
        # The shell has not expanded ~ in a command line that was not run yet.
        socket = locate(path and path.expanduser(), context.params.get("overrides") or ()).socket
        found = [str(name) for name in names(Client(socket, TIMEOUT))]
    except Exception:  # noqa: BLE001 - a failed completion offers nothing
        return []
    return [name for name in found if name.startswith(incomplete) and name.isprintable()]


def queue_argument(function: Any) -> Any:
    """Add the argument NAME, a queue, with shell completion."""
    return click.argument("name", shell_complete=queues)(function)
