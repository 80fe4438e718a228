"""``hubbub trace``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.json_output import json_text
from hub.cli.times import earlier
from hub.text import counted, printable
from hub.units import format_duration, parse_duration

Row = Mapping[str, Any]
NOT_FOUND = 1
"""Exit code, the same as of grep."""


@click.command(epilog="Exit codes: 0 found; 1 not found in the part that was searched.")
@click.argument("message_id")
@config_option
@json_option
@click.option("--since", metavar="WHEN", help="Search no further back: an age such as 2h, or a date and time.")
@click.option("--most", type=click.IntRange(1, 1000), default=100, show_default=True, help="Messages to find at most.")
@click.option("--within", metavar="DURATION", default="30s", show_default=True, help="How long to search, up to 55s.")
def trace(
    load_config: ConfigReader,
    message_id: str,
    as_json: bool,
    since: str | None,
    most: int,
    within: str,
) -> None:
    """Trace the message MESSAGE_ID: show its state in each queue. It waits (behind how many others), is in flight,
    waits for a retry, is a dead letter, or is settled. Ids are not unique: all messages with that id are shown."""
    now = time.time()
    try:
        query = {"most": most, "within": parse_duration(within), "since": earlier(since, now) if since else 0.0}
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    answer = client_of(load_config).get(f"/trace/{quote(message_id, safe='')}?{urlencode(query)}")
    if as_json:
        click.echo(json_text(answer, indented=True))
    else:
        for line in _told(answer, now):
            click.echo(line)
    if not answer["messages"]:
        raise click.exceptions.Exit(NOT_FOUND)


def _told(answer: Row, now: float) -> Iterator[str]:
    for message in answer["messages"]:
        yield _heading(message)
        yield from _lines(message["queues"], now)
        if message["cut"]:
            yield "  ... and more, not shown"
    yield from _notes(answer)


def _heading(message: Row) -> str:
    again = ", for one queue alone: sent to it, replayed or retried" if message["copy"] else ""
    when_ = _time(message["received_at"])
    return printable(f"received {when_} by {message['backend'] or 'nobody'}, topic {message['topic']}{again}")


def _lines(outcomes: list[Row], now: float) -> list[str]:
    names = [printable(outcome["queue"]) for outcome in outcomes]
    width = max((len(name) for name in names), default=0)
    rows = zip(names, outcomes, strict=True)
    lines = [
        f"  {name:<{width}}  {outcome['state']:<11}  {printable(detail(outcome, now))}".rstrip()
        for name, outcome in rows
    ]
    return lines or ["  no queue has it"]


def detail(outcome: Row, now: float) -> str:
    """Details that are shown beside the state. :param now: epoch seconds."""
    said = []
    if outcome["state"] == "in flight":
        said.append(f"attempt {outcome['attempts'] + 1}")
        since = "next in" if outcome["seconds"] is None else f"for {format_duration(outcome['seconds'])} in"
        said.append(f"{since} {outcome['thread'] or 'a thread that is leaving'}")
    elif outcome["state"] in ("retry", "delayed"):
        said.append(f"attempt {outcome['attempts'] + 1} in {format_duration(max(0.0, outcome['due'] - now))}")
    elif outcome["state"] == "dead letter":
        said.append(f"number {outcome['number']}" if outcome["number"] else "not stored yet")
        said.append(f"buried {_time(outcome['buried_at'])} after {counted(outcome['attempts'], 'attempt')}")
    elif outcome["state"] == "waiting":
        said.append("behind many" if outcome["before"] is None else f"behind {outcome['before']}")
    if outcome["reason"]:
        said.append(outcome["reason"])
    return ", ".join(said)


def _notes(answer: Row) -> list[str]:
    notes = []
    if not answer["messages"]:
        kept = f"keep = {format_duration(answer['keep'])}"
        notes.append(f"not in the store: not received, or settled in every queue and not kept ({kept})")
    if not answer["complete"]:
        reached = f", back to {_time(answer['reached'])}" if answer["reached"] is not None else ""
        notes.append(f"incomplete: the search ended early{reached} (--most, --within)")
    return notes


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
