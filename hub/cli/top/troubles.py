"""Problems of a hub and its parts, a line each, above the table of consumers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from rich.text import Text

from hub.cli.top.columns import BAD, BUSY, HELD
from hub.text import printable

KNOWN = frozenset({"hub", "backends", "consumers", "exporters", "servers"})
"""Sections of the status of which each kind of problem is told by itself."""
Said = tuple[str, str]
"""A sentence, not yet printable, and its style."""


def troubles(status: Mapping[str, Any]) -> list[Text]:
    """Problems of the hub, then of its backends, exporters, servers and other parts. Consumers have their own rows."""
    said = chain(
        _of_the_hub(status["hub"]),
        *(_of_a_backend(name, row) for name, row in status["backends"].items()),
        *(_of_a_part("exporter", name, row) for name, row in status.get("exporters", {}).items()),
        *(_of_a_part("server", name, row) for name, row in status.get("servers", {}).items()),
        *(_of_a_part(kind.removesuffix("s"), name, row) for kind, name, row in other_parts(status)),
    )
    return [Text(printable(sentence), style) for sentence, style in said]


def other_parts(status: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Parts of kinds that are not known here: the section, the name, the row."""
    for section, rows in status.items():
        if section not in KNOWN and isinstance(rows, Mapping):
            for name, row in rows.items():
                if isinstance(row, Mapping):
                    yield section, name, row


def _of_the_hub(hub: Mapping[str, Any]) -> Iterator[Said]:
    if hub.get("draining"):
        yield "the hub is drained: its buses are held back until 'hubbub resume'", HELD
    if hub["store"]["state"] != "ok":
        yield f"the store is {hub['store']['state']}: {hub['store']['reason'] or ''}", BAD
    if hub["held_back_by"] and not hub.get("draining"):
        yield f"the buses are held back: {hub['held_back_by']}", BAD
    if not hub.get("ready", True):
        yield f"not ready: {'; '.join(hub['not_ready'])}", BAD


def _of_a_backend(name: str, row: Mapping[str, Any]) -> Iterator[Said]:
    if row["state"] == "failed":
        yield f"backend {name} fails: {row.get('error')}", BAD
    away = [str(end["endpoint"]) for end in row.get("endpoints") or () if end["state"] == "connecting"]
    if away:
        yield f"backend {name}: no connection to {', '.join(away)}", BUSY


def _of_a_part(noun: str, name: str, row: Mapping[str, Any]) -> Iterator[Said]:
    reason = row.get("error") or row.get("last_error")
    if reason or row.get("state") == "failed":
        yield f"{noun} {name} fails: {reason or 'it gives no reason'}", BAD
