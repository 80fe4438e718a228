"""``hubbub status``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from hub.cli.common import client_of, config_option, json_option
from hub.configuration.schema import Configuration
from hub.text import printable
from hub.units import format_duration, format_size

PIPED_WIDTH = 160
STYLES = {
    **dict.fromkeys(("stuck", "failing to start", "full"), "bold red"),
    **dict.fromkeys(("paused", "draining", "drained"), "bold yellow"),
}


@click.command()
@config_option
@json_option
def status(load_config: Callable[[], Configuration], as_json: bool) -> None:
    """Show each consumer's backlog, rates, and when it will have caught up."""
    snapshot = client_of(load_config).get("/status")
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(snapshot)).decode())
        return
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
    console.print(_summary(snapshot["hub"]))
    console.print(_consumers(snapshot["consumers"]))
    console.print(_backends(snapshot["backends"]))


def _summary(hub: dict[str, Any]) -> str:
    return (
        f"hubbub {hub['version']} [bold]{hub['state']}[/] for {format_duration(hub['uptime'])}, pid {hub['pid']}, "
        f"{format_size(hub['resident_bytes'])}; received {hub['received']}, unrouted {hub['unrouted']}"
        f"{_store(hub['store'])}{_held_back(hub['held_back_by'])}"
    )


def _store(store: dict[str, Any]) -> str:
    if store["state"] != "ok":
        return f"; the store is [bold red]{store['state']}[/]: {escape(printable(store['reason'] or ''))}"
    return f"; stored {format_size(store['used_bytes'])}" if "used_bytes" in store else ""


def _held_back(why: str | None) -> str:
    return f"; [bold red]the buses are held back[/]: {why}" if why else ""


def _consumers(consumers: dict[str, Any]) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 1))
    table.add_column("consumer", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for heading in (
        "backlog",
        "in flight",
        "oldest",
        "in/s",
        "out/s",
        "caught up",
        "failed",
        "dead",
        "lost",
    ):
        table.add_column(heading, justify="right")
    for name, row in consumers.items():
        table.add_row(
            name,
            Text(row["state"], style=STYLES.get(row["state"], "")),
            Text(f"{row['backlog']}", style="bold yellow" if row["backlog"] else ""),
            f"{row['in_flight']}",
            "-" if row["oldest_age"] is None else format_duration(row["oldest_age"]),
            _rate(row["rate_in"]),
            _rate(row["rate_out"]),
            caught_up(row, time.time()),
            f"{row['failed']}",
            f"{row['dead_letters']}",
            f"{row['dropped']}",
        )
    return table


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def caught_up(row: dict[str, Any], now: float) -> str:
    """``in 3m 20s, 14:32:10``, ``~in 5s ...``, ``falling behind by 20.0/s``, ``now``, or ``-`` where it is unknown."""
    if row["trend"] == "falling_behind":
        return f"falling behind by {row['rate_in'] - row['rate_out']:.1f}/s"
    seconds = row["catch_up_seconds"]
    if seconds is None:
        return "holding steady" if row["trend"] == "steady" else "-"
    if not row["backlog"]:
        return "now"
    form = "%H:%M:%S" if seconds < 86400 else "%Y-%m-%d %H:%M"
    mark = "~" if row["catch_up_estimated"] else ""
    return f"{mark}in {format_duration(seconds)}, {time.strftime(form, time.localtime(now + seconds))}"


def _backends(backends: dict[str, Any]) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 1))
    for heading in ("backend", "type", "state"):
        table.add_column(heading)
    for heading in ("received", "bytes", "malformed", "gaps", "published"):
        table.add_column(heading, justify="right")
    for name, row in backends.items():
        malformed = sum((row.get("malformed") or {}).values())
        counts = [row.get("received", 0), format_size(row.get("bytes", 0)), malformed]
        counts += [row.get("gaps", 0), row.get("published", 0)]
        table.add_row(name, row["type"], printable(str(row["state"])), *(str(count) for count in counts))
    return table
