"""The hub in a line or three: what stands above the table of consumers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from hub.cli.moment import all_clear
from hub.cli.top.columns import BAD
from hub.cli.top.troubles import troubles
from hub.text import printable
from hub.units import format_duration, format_size


def summary(status: Mapping[str, Any]) -> Text:
    """The hub, its store and its buses; what is wrong stands on lines of its own."""
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
    hub, rows = status["hub"], status["consumers"].values()
    backlog, dead = (sum(row[key] for row in rows) for key in ("backlog", "dead_letters"))
    numbers = f"received {hub['received']}, unrouted {hub['unrouted']}, backlog {backlog}, dead letters {dead}"
    return f"{numbers}, {printable(all_clear(hub['headline'], hub['time']))}" if hub.get("headline") else numbers


def _backend(name: str, row: Mapping[str, Any]) -> str:
    return printable(f"{name} {row['state']}")


def away(problem: str, since: float, now: float) -> Text:
    """In place of it while no hub answers. :param since: when it answered last, in seconds as ``now``."""
    text = Text(printable(problem), BAD)
    return text.append(f"\nthe numbers are {format_duration(max(0.0, now - since))} old; trying again", "bold")
