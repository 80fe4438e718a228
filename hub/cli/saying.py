"""How a subcommand says what came of it: in words, or in JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn


def say(as_json: bool, document: object, text: str) -> None:
    """One line of JSON, or the text, which is to be printable already."""
    click.echo(msgspec.json.encode(document).decode() if as_json else text)


def watch_empty(left: Callable[[], Iterator[int]], quiet: bool) -> None:
    """A progress bar while something is worked off. :param left: how many messages, again and again, until none are."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    most = 0
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as progress:
        task = progress.add_task("", total=None)
        for count in left():
            most = max(most, count)
            progress.update(task, total=max(most, 1), completed=most - count, description=f"{count} left")
