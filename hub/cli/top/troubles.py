"""What is wrong with a hub and its parts, a line each: what stands above the table of consumers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from rich.text import Text

from hub.cli.top.columns import BAD, BUSY, HELD
from hub.text import printable

Said = tuple[str, str]
"""A sentence, not yet printable, and its style."""


def troubles(status: Mapping[str, Any]) -> list[Text]:
    """Of the hub, then of its backends, exporters and servers. Consumers have rows of their own."""
    said = chain(
        _of_the_hub(status["hub"]),
        *(_of_a_backend(name, row) for name, row in status["backends"].items()),
        *(_of_an_exporter(name, row) for name, row in status.get("exporters", {}).items()),
        *(_of_a_server(name, row) for name, row in status.get("servers", {}).items()),
    )
    return [Text(printable(sentence), style) for sentence, style in said]


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
        yield f"backend {name}: nobody there at {', '.join(away)}", BUSY


def _of_an_exporter(name: str, row: Mapping[str, Any]) -> Iterator[Said]:
    if row.get("last_error"):
        yield f"exporter {name} fails: {row['last_error']}", BAD


def _of_a_server(name: str, row: Mapping[str, Any]) -> Iterator[Said]:
    if row.get("state") == "failed":
        yield f"server {name} fails: {row.get('error')}", BAD
