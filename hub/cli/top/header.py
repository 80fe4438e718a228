"""The summary of the hub above the table of consumers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from hub.cli.times import all_clear
from hub.cli.top.columns import BAD
from hub.cli.top.troubles import troubles
from hub.status.rows import stable
from hub.text import printable
from hub.units import format_duration, format_size


def summary(status: Mapping[str, Any]) -> Text:
    """Text about the hub, its store and its backends, and a line for each problem."""
    hub = status["hub"]
    first = Text(f"hubbub {hub['version']} ", no_wrap=True)
    first.append(printable(hub["state"]), "bold")
    first.append(f" for {format_duration(hub['uptime'])}, pid {hub['pid']}")
    if hub["resident_bytes"] is not None:
        first.append(f", {format_size(hub['resident_bytes'])}")
    if "used_bytes" in hub["store"]:
        first.append(f", stored {format_size(hub['store']['used_bytes'])}")
    if hub.get("lag") is not None:
        first.append(f", lag {format_duration(hub['lag'])}")
    second = Text("; ".join([_messages(status), *(_backend(name, row) for name, row in status["backends"].items())]))
    return Text("\n").join([first, second, *troubles(status)])


def _messages(status: Mapping[str, Any]) -> str:
    hub, rows = status["hub"], stable(status["consumers"]).values()
    backlog, dead = (sum(row[key] for row in rows) for key in ("backlog", "dead_letters"))
    numbers = f"received {hub['received']}, unrouted {hub['unrouted']}, backlog {backlog}, dead letters {dead}"
    return f"{numbers}, {printable(all_clear(hub['headline'], hub['time']))}" if hub.get("headline") else numbers


def _backend(name: str, row: Mapping[str, Any]) -> str:
    return printable(f"{name} {row['state']}")


def away(problem: str, since: float, now: float) -> Text:
    """The text in place of the summary while no hub answers. :param since: epoch seconds of the last answer."""
    text = Text(printable(problem), BAD)
    return text.append(f"\nthe numbers are {format_duration(max(0.0, now - since))} old; trying again", "bold")
