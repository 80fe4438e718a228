"""``hubbub top`` where nobody looks at a screen: one table, or a line of JSON each time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from hub.cli.remote import Remote
from hub.cli.status import PIPED_WIDTH
from hub.cli.top.columns import COLUMNS, Line, Sorting
from hub.cli.top.header import summary
from hub.errors import HubError


def print_table(status: Mapping[str, Any], now: float) -> None:
    """On standard output. :param now: epoch seconds."""
    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH, highlight=False)
    console.print(summary(status))
    console.print(table_of(status, now))


def table_of(status: Mapping[str, Any], now: float) -> Table:
    """All but the sparkline, of which there is only a point."""
    columns = [column for column in COLUMNS if column.key != "trend"]
    table = Table(box=None, header_style="bold", padding=(0, 1))
    for column in columns:
        table.add_column(column.heading, justify="right" if column.right else "left", no_wrap=True)
    lines = [Line(name, row, (), now) for name, row in status["consumers"].items()]
    for line in Sorting().order(lines):
        table.add_row(*(column.cell(line) for column in columns))
    return table


def print_json(remote: Remote, interval: float, once: bool, wait: Callable[[float], object] = time.sleep) -> None:
    """The status as a line, each ``interval`` seconds, forever; ``{"problems": [...]}`` while no hub answers.

    :raises HubError: with ``once``, no hub answers.
    """
    while True:
        try:
            found: object = remote.status()
        except HubError as error:
            if once:
                raise
            found = {"problems": str(error).splitlines()}
        click.echo(msgspec.json.encode(found).decode())
        sys.stdout.flush()
        if once:
            return
        wait(interval)
