"""``hubbub dead``."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option, yes_option
from hub.cli.group import Group
from hub.cli.json_output import json_text
from hub.cli.names import queues
from hub.cli.output import confirm, none, retried, say, unstored
from hub.cli.remote import Remote
from hub.status.rows import sums_queues
from hub.text import counted, printable
from hub.units import parse_duration

Function = TypeVar("Function", bound=Callable[..., Any])


def selection(function: Function) -> Function:
    """Add the options that select dead letters."""
    for option in (
        click.option(
            "--number", "numbers", type=int, multiple=True, help="The letter with this number; can be repeated."
        ),
        click.option("--error", metavar="REGEX", help="Letters whose reason or exception matches."),
        click.option("--topic", metavar="REGEX", help="Letters whose topic matches."),
        click.option("--older-than", metavar="AGE", help="Letters buried longer ago than AGE, such as 2h."),
        click.option("--newer-than", metavar="AGE", help="Letters buried more recently than AGE."),
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
    """Letters that match all options. :raises click.UsageError: a regular expression or an age is invalid."""
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
@click.option("--group", is_flag=True, help="Group by error, the most frequent first.")
@click.option("--traceback", is_flag=True, help="Show the traceback of each.")
def list_(
    load_config: ConfigReader, consumer: str | None, as_json: bool, group: bool, traceback: bool, **options: Any
) -> None:
    """List the dead letters of CONSUMER, the oldest first. Without CONSUMER, list those of all consumers."""
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
    """Names of the queues that have dead letters. A row of sums has none of its own."""
    return [name for name, row in status["consumers"].items() if row["dead_letters"] and not sums_queues(row)]


def _numbers(remote: Remote, consumer: str, options: Mapping[str, Any]) -> list[int]:
    """Numbers of the letters that the options select."""
    return [letter["number"] for letter in selected(remote.letters(consumer), **options)]


def _listed(name: str, letters: Sequence[dict[str, Any]], as_json: bool, traceback: bool) -> Iterator[str]:
    for letter in letters:
        yield json_text({"consumer": name, **letter}) if as_json else letter_line(letter, traceback)


@dead.command()
@click.argument("consumer", shell_complete=queues)
@click.argument("number", type=int)
@config_option
@json_option
def show(load_config: ConfigReader, consumer: str, number: int, as_json: bool) -> None:
    """Show one dead letter of CONSUMER with its body and traceback."""
    letter = Remote(client_of(load_config)).letter(consumer, number) if number >= 0 else None
    if letter is None:
        raise click.UsageError(f"{consumer} has no dead letter with the number {number}")
    show_letter(letter, as_json, ("number", "id", "topic", "attempts", "reason", "error"))


def show_letter(letter: dict[str, Any], as_json: bool, fields: Sequence[str]) -> None:
    """Print a whole letter. :param fields: names of its texts and numbers, in the order of output."""
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
    "--canary",
    type=click.IntRange(min=1),
    metavar="N",
    help="Retry the N oldest first, and the rest if these are finished.",
)
@click.option("--timeout", metavar="DURATION", default="1m", show_default=True, help="How long to wait for the canary.")
def retry(
    load_config: ConfigReader,
    consumer: str,
    as_json: bool,
    canary: int | None,
    timeout: str,
    **options: Any,
) -> None:
    """Retry dead letters: put them into the queue of CONSUMER again. Without options: all of them.

    With --canary N the N oldest go first, and the command waits until all N are finished; then it retries the rest. If
    one of the N becomes a dead letter again, or if they are not finished within --timeout (the consumer raises
    Retry, or the queue is paused), the rest stays as it is, and the exit code is 69.
    """
    remote = Remote(client_of(load_config))
    numbers = _numbers(remote, consumer, options)
    count = remote.retry(consumer, numbers, canary, parse_duration(timeout))
    say(as_json, {"retried": count}, retried(count) + unstored(remote.stored))


@dead.command()
@click.argument("consumer", shell_complete=queues)
@config_option
@json_option
@selection
@yes_option
def delete(load_config: ConfigReader, consumer: str, as_json: bool, yes: bool, **options: Any) -> None:
    """Delete dead letters of CONSUMER. Without options: all of them."""
    remote = Remote(client_of(load_config))
    numbers = _numbers(remote, consumer, options)
    confirm(f"Delete {counted(len(numbers), 'dead letter')} of {consumer}?", yes)
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
    """A letter on one line; its traceback follows on further lines. Printable."""
    text = f"{letter['number']:>5}  {_time(letter['buried_at'])}  {letter['topic']}  {letter['id']}"
    line = printable(f"{text}  attempts {letter['attempts']}: {letter['reason']}")
    if traceback and letter["traceback"]:
        line += "".join(f"\n    {printable(text)}" for text in letter["traceback"].splitlines())
    return line
