"""Output of subcommands: text or JSON, and problems on standard error."""

from __future__ import annotations

from collections.abc import Iterable

import click

from hub.cli.json_output import json_text
from hub.text import counted, printable


def say(as_json: bool, document: object, text: str) -> None:
    """Print one line of JSON, or ``text``, which must be printable."""
    click.echo(json_text(document) if as_json else text)


def none(text: str, as_json: bool) -> None:
    """Report an empty list on standard error, so that standard output has no line. With JSON nothing is printed."""
    if not as_json:
        click.echo(text, err=True)


def confirm(question: str, yes: bool) -> None:
    """Ask a question on standard error, unless ``yes``. :raises click.Abort: the answer is no."""
    if not yes:
        click.confirm(printable(question), abort=True, err=True)


def waiting(count: int) -> str:
    """``1 message waits``, ``2 messages wait``."""
    return f"{counted(count, 'message')} wait{'s' if count == 1 else ''}"


def retried(count: int) -> str:
    """The outcome for dead letters: ``1 is tried again``, ``2 are tried again``."""
    return f"{count} {'is' if count == 1 else 'are'} tried again"


def unstored(stored: bool) -> str:
    """The warning after an order that is not on disk yet. Empty if ``stored``."""
    return "" if stored else "; the disk is full: this is undone if the hub is killed before it can write"


def complain(problems: Iterable[str]) -> list[str]:
    """Print problems on standard error, a line each. Returns them as a list."""
    told = list(problems)
    for line in told:
        click.echo(f"hubbub: {printable(line)}", err=True)
    return told
