"""Output of ``hubbub top`` without a terminal: one table, or lines of JSON."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from hub.cli.json_output import json_text
from hub.cli.remote import Remote
from hub.cli.top.columns import COLUMNS, Column, Line, Sorting, fitting
from hub.cli.top.header import summary
from hub.errors import HubError

PIPED_WIDTH = 160
"""Characters of a line in a pipe."""
SPACE = 2
"""Characters around the text of a cell."""


def screen() -> Console:
    """A console on standard output."""
    width = None if sys.stdout.isatty() else PIPED_WIDTH
    return Console(width=width, highlight=False, markup=False, emoji=False)  # no text of ours has such codes


def print_table(status: Mapping[str, Any], now: float) -> None:
    """Print the table of consumers. :param now: epoch seconds."""
    console = screen()
    console.print(summary(status))
    lines = Sorting().order([Line(name, row, (), now) for name, row in status["consumers"].items()])
    # One status has no history for a sparkline.
    console.print(table_of([column for column in COLUMNS if column.key != "trend"], lines, console.width))


def table_of(columns: Sequence[Column], lines: Sequence[Line], room: int) -> Table:
    """A table with the columns that fit. :param room: its width in characters."""
    cells = {column.key: [column.cell(line) for line in lines] for column in columns}
    widths = {
        column.key: SPACE + max(len(column.heading), *(cell.cell_len for cell in cells[column.key]), 0)
        for column in columns
    }
    shown = fitting(columns, widths, room)
    table = Table(box=None, header_style="bold", padding=(0, 1))
    for column in shown:
        table.add_column(column.heading, justify="right" if column.right else "left", no_wrap=True)
    for row in zip(*(cells[column.key] for column in shown), strict=True):
        table.add_row(*row)
    return table


def print_json(remote: Remote, interval: float, once: bool, wait: Callable[[float], object] = time.sleep) -> None:
    """Print the status as a line of JSON each ``interval`` seconds; ``{"problems": [...]}`` while no hub answers.

    :raises HubError: with ``once``, no hub answers.
    """
    while True:
        try:
            found: object = remote.status()
        except HubError as error:
            if once:
                raise
            found = {"problems": str(error).splitlines()}
        click.echo(json_text(found))
        sys.stdout.flush()
        if once:
            return
        wait(interval)
