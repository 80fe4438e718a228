"""``hubbub status``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.document import json_text
from hub.cli.top.columns import BY_KEY, MORE, Line
from hub.cli.top.header import summary
from hub.cli.top.plain import screen, table_of
from hub.text import printable
from hub.units import format_size

DELAYED, FAILED, LOST = MORE
BEFORE = ("consumer", "state", "backlog", "in_flight")
AFTER = ("oldest", "in", "out", "caught_up", "dead")
COLUMNS = (*(BY_KEY[key] for key in BEFORE), DELAYED, *(BY_KEY[key] for key in AFTER), FAILED, LOST)


@click.command()
@config_option
@json_option
def status(load_config: ConfigReader, as_json: bool) -> None:
    """Show each consumer's backlog, rates, and when it will have caught up.

    A narrow terminal has the most important columns; what is wrong stands above them.
    """
    snapshot = client_of(load_config).get("/status")
    if as_json:
        click.echo(json_text(snapshot, indented=True))
        return
    console, now = screen(), time.time()
    console.print(summary(snapshot))
    lines = [Line(name, row, (), now) for name, row in snapshot["consumers"].items()]
    console.print(table_of(COLUMNS, lines, console.width))
    console.print(_backends(snapshot["backends"]))


def _backends(backends: Mapping[str, Any]) -> Table:
    table = Table(box=None, header_style="bold", padding=(0, 1))
    for heading in ("backend", "type", "state"):
        table.add_column(heading)
    for heading in ("received", "bytes", "malformed", "gaps", "published"):
        table.add_column(heading, justify="right")
    for name, row in backends.items():
        malformed = sum((row.get("malformed") or {}).values())
        counts = [row.get("received", 0), format_size(row.get("bytes", 0)), malformed]
        counts += [row.get("gaps", 0), row.get("published", 0)]
        texts = (name, row["type"], str(row["state"]), *(str(count) for count in counts))
        table.add_row(*(Text(printable(text)) for text in texts))
    return table
