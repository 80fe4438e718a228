"""How a subcommand says what comes of it: in words, or in JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from hub.cli.document import json_text
from hub.text import counted, printable


def say(as_json: bool, document: object, text: str) -> None:
    """One line of JSON, or the text, which is to be printable already."""
    click.echo(json_text(document) if as_json else text)


def none(text: str, as_json: bool) -> None:
    """That a list is empty: on standard error, so that whoever counts lines counts none; not where JSON is wanted."""
    if not as_json:
        click.echo(text, err=True)


def waiting(count: int) -> str:
    """``1 message waits``, ``2 messages wait``."""
    return f"{counted(count, 'message')} wait{'s' if count == 1 else ''}"


def retried(count: int) -> str:
    """Of dead letters: ``1 is tried again``, ``2 are tried again``."""
    return f"{count} {'is' if count == 1 else 'are'} tried again"


def unstored(stored: bool) -> str:
    """What to add to the outcome of an order that the disk has not taken."""
    return "" if stored else "; the disk is full: should the hub be killed before it has room, this is undone"


def complain(problems: Iterable[str]) -> list[str]:
    """On standard error, whatever they are. Returns them."""
    told = list(problems)
    for line in told:
        click.echo(f"hubbub: {printable(line)}", err=True)
    return told


def progress_bar(columns: Iterable[ProgressColumn], quiet: bool, transient: bool = True) -> Progress:
    """On standard error where that is a terminal, and nothing at all where it is none."""
    console = Console(stderr=True)
    return Progress(*columns, console=console, disable=quiet or not console.is_terminal, transient=transient)


def watch_empty(left: Callable[[], Iterator[int]], quiet: bool) -> None:
    """A progress bar while something is worked off. :param left: how many messages, again and again, until none are."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    most = 0
    with progress_bar(columns, quiet) as progress:
        task = progress.add_task("", total=None)
        for count in left():
            most = max(most, count)
            progress.update(task, total=max(most, 1), completed=most - count, description=f"{count} left")
