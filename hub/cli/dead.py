"""``hubbub dead``."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.document import json_text
from hub.cli.group import Group
from hub.cli.names import queues
from hub.cli.remote import Remote
from hub.cli.saying import none, retried, say, unstored
from hub.text import counted, printable
from hub.units import parse_duration

Function = TypeVar("Function", bound=Callable[..., Any])


def selection(function: Function) -> Function:
    """The options that say which dead letters are meant."""
    for option in (
        click.option("--number", "numbers", type=int, multiple=True, help="This one; may be given again."),
        click.option("--error", metavar="REGEX", help="Whose reason, or exception, matches."),
        click.option("--topic", metavar="REGEX", help="Whose topic matches."),
        click.option("--older-than", metavar="AGE", help="Buried longer ago than, such as 2h."),
        click.option("--newer-than", metavar="AGE", help="Buried more lately than."),
    ):
        function = option(function)
    return function


def selected(
    letters: Sequence[dict[str, Any]],
    numbers: Sequence[int] = (),
    error: str | None = None,
    topic: str | None = None,
    older_than: str | None = None,
    newer_than: str | None = None,
) -> list[dict[str, Any]]:
    """Those that all of the options mean. :raises click.UsageError: one of them can't be understood."""
    now = time.time()
    try:
        by_error, by_topic = re.compile(error or ""), re.compile(topic or "")
        latest = now - parse_duration(older_than) if older_than else now + 1e9
        earliest = now - parse_duration(newer_than) if newer_than else 0.0
    except (re.error, ValueError) as problem:
        raise click.UsageError(str(problem)) from problem
    return [
        letter
        for letter in letters
        if (not numbers or letter["number"] in numbers)
        and (by_error.search(letter["reason"]) or by_error.search(letter["error"]))
        and by_topic.search(letter["topic"])
        and earliest <= letter["buried_at"] <= latest
    ]


@click.group(cls=Group)
def dead() -> None:
    """Dead letters: messages that a consumer could not handle."""


@dead.command("list")
@click.argument("consumer", required=False, shell_complete=queues)
@config_option
@json_option
@selection
@click.option("--group", is_flag=True, help="Grouped by error, the most frequent first.")
@click.option("--traceback", is_flag=True, help="With the traceback of each.")
def list_(
    load_config: ConfigReader, consumer: str | None, as_json: bool, group: bool, traceback: bool, **options: Any
) -> None:
    """List the dead letters of CONSUMER, the oldest first. Without CONSUMER: of each that has some."""
    remote = Remote(client_of(load_config))
    names = [consumer] if consumer is not None else having_letters(remote.status())
    found = {name: selected(remote.letters(name), **options) for name in names}
    for name, letters in found.items():
        if consumer is None and letters and not as_json:
            click.echo(printable(f"{name}:"))
        for line in _groups(name, letters, as_json) if group else _listed(name, letters, as_json, traceback):
            click.echo(line)
    if not any(found.values()):
        none("no dead letters" + (" that match" if any(options.values()) else ""), as_json)


def having_letters(status: Mapping[str, Any]) -> list[str]:
    """The queues that have dead letters."""
    return [name for name, row in status["consumers"].items() if row["dead_letters"]]


def _listed(name: str, letters: Sequence[dict[str, Any]], as_json: bool, traceback: bool) -> Iterator[str]:
    for letter in letters:
        yield json_text({"consumer": name, **letter}) if as_json else letter_line(letter, traceback)


@dead.command()
@click.argument("consumer", shell_complete=queues)
@click.argument("number", type=int)
@config_option
@json_option
def show(load_config: ConfigReader, consumer: str, number: int, as_json: bool) -> None:
    """Show one dead letter of CONSUMER, whole."""
    letter = Remote(client_of(load_config)).letter(consumer, number) if number >= 0 else None
    if letter is None:
        raise click.UsageError(f"{consumer} has no dead letter with the number {number}")
    show_letter(letter, as_json, ("number", "id", "topic", "attempts", "reason", "error"))


def show_letter(letter: dict[str, Any], as_json: bool, fields: Sequence[str]) -> None:
    """One, whole. :param fields: those that are texts or numbers, in their order."""
    if as_json:
        click.echo(json_text(letter, indented=True))
        return
    for name in fields:
        click.echo(f"{name + ':':<13}{printable(str(letter[name]))}")
    for name in ("received_at", "buried_at"):
        click.echo(f"{name.removesuffix('_at') + ':':<13}{_time(letter[name])}")
    for name, value in letter["headers"].items():
        click.echo(printable(f"{'header:':<13}{name}: {value}"))
    click.echo(f"{'body:':<13}{printable(letter['body'])}")
    for text in letter["traceback"].splitlines():
        click.echo(f"    {printable(text)}")


@dead.command()
@click.argument("consumer", shell_complete=queues)
@config_option
@json_option
@selection
@click.option(
    "--canary", type=click.IntRange(min=1), metavar="N", help="The N oldest first, the rest if these get through."
)
@click.option("--timeout", metavar="DURATION", default="1m", show_default=True, help="How long the canary may take.")
def retry(
    load_config: ConfigReader,
    consumer: str,
    as_json: bool,
    canary: int | None,
    timeout: str,
    **options: Any,
) -> None:
    """Give dead letters to CONSUMER again. Without options: all of them.

    With --canary N the N oldest of them go first, and the command waits until all N are finished; then it gives the
    rest. If one of the N is a dead letter again, or if they are not finished within --timeout (one that the consumer
    puts off with Retry, or a paused queue), the rest stays as it is, and the exit code is 69.
    """
    remote = Remote(client_of(load_config))
    numbers = [letter["number"] for letter in selected(remote.letters(consumer), **options)]
    count = remote.retry(consumer, numbers, canary, parse_duration(timeout))
    say(as_json, {"retried": count}, retried(count) + unstored(remote.stored))


@dead.command()
@click.argument("consumer", shell_complete=queues)
@config_option
@json_option
@selection
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(load_config: ConfigReader, consumer: str, as_json: bool, yes: bool, **options: Any) -> None:
    """Delete dead letters of CONSUMER. Without options: all of them."""
    remote = Remote(client_of(load_config))
    numbers = [letter["number"] for letter in selected(remote.letters(consumer), **options)]
    if not yes:
        click.confirm(f"Delete {counted(len(numbers), 'dead letter')} of {consumer}?", abort=True, err=True)
    deleted = remote.delete_letters(consumer, numbers)
    say(as_json, {"deleted": deleted}, f"{deleted} deleted{unstored(remote.stored)}")


def _groups(name: str, letters: Sequence[dict[str, Any]], as_json: bool) -> list[str]:
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for letter in letters:
        groups[letter["error"], letter["reason"]].append(letter)
    lines = []
    for (error, reason), members in sorted(groups.items(), key=lambda item: -len(item[1])):
        first, last = members[0]["buried_at"], members[-1]["buried_at"]
        if as_json:
            found = {
                "consumer": name,
                "count": len(members),
                "error": error,
                "reason": reason,
                "first": first,
                "last": last,
            }
            lines.append(json_text(found))
        else:
            lines.append(printable(f"{len(members):>7}  {_time(first)} to {_time(last)}  {error}  {reason}"))
    return lines


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def letter_line(letter: dict[str, Any], traceback: bool = False) -> str:
    """On one line, but for its traceback."""
    text = f"{letter['number']:>5}  {_time(letter['buried_at'])}  {letter['topic']}  {letter['id']}"
    line = printable(f"{text}  attempts {letter['attempts']}: {letter['reason']}")
    if traceback and letter["traceback"]:
        line += "".join(f"\n    {printable(text)}" for text in letter["traceback"].splitlines())
    return line
