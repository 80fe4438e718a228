"""``hubbub trace``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.document import json_text
from hub.cli.replay import when
from hub.text import counted, printable
from hub.units import format_duration, parse_duration

Row = Mapping[str, Any]
NOT_FOUND = 1
"""The exit code, as grep's."""


@click.command(epilog="Exit codes: 0 found; 1 not found, in as much as was searched.")
@click.argument("message_id")
@config_option
@json_option
@click.option("--since", metavar="WHEN", help="Look back no further: how long ago, such as 2h, or a date and time.")
@click.option("--most", type=click.IntRange(1, 1000), default=100, show_default=True, help="Messages to be found.")
@click.option("--within", metavar="DURATION", default="30s", show_default=True, help="How long to search, up to 55s.")
def trace(
    load_config: ConfigReader,
    message_id: str,
    as_json: bool,
    since: str | None,
    most: int,
    within: str,
) -> None:
    """Tell what became of the message MESSAGE_ID in each queue: whether it waits, behind how many, is in hand, is to be
    tried again, is a dead letter, or is settled. Ids are not unique: all messages of that id are shown."""
    now = time.time()
    try:
        query = {"most": most, "within": parse_duration(within), "since": when(since, now) if since else 0.0}
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
            yield "  ... and more, which are left out"
    yield from _notes(answer)


def _heading(message: Row) -> str:
    again = ", replayed or retried" if message["copy"] else ""
    when_ = _time(message["received_at"])
    return printable(f"received {when_} by {message['backend'] or 'nobody'}, topic {message['topic']}{again}")


def _lines(fates: list[Row], now: float) -> list[str]:
    names = [printable(fate["queue"]) for fate in fates]
    width = max((len(name) for name in names), default=0)
    rows = zip(names, fates, strict=True)
    lines = [f"  {name:<{width}}  {fate['state']:<11}  {printable(detail(fate, now))}".rstrip() for name, fate in rows]
    return lines or ["  no queue has it"]


def detail(fate: Row, now: float) -> str:
    """What there is to say beside the state. :param now: epoch seconds."""
    said = []
    if fate["state"] == "in flight":
        said.append(f"attempt {fate['attempts'] + 1}")
        in_hand = "next in hand of" if fate["seconds"] is None else f"for {format_duration(fate['seconds'])} in"
        said.append(f"{in_hand} {fate['thread'] or 'a thread that is leaving'}")
    elif fate["state"] == "retry":
        said.append(f"attempt {fate['attempts'] + 1} in {format_duration(max(0.0, fate['due'] - now))}")
    elif fate["state"] == "dead letter":
        said.append(f"number {fate['number']}" if fate["number"] else "about to be written down")
        said.append(f"buried {_time(fate['buried_at'])} after {counted(fate['attempts'], 'attempt')}")
    elif fate["state"] == "waiting":
        said.append("behind many" if fate["before"] is None else f"behind {fate['before']}")
    if fate["reason"]:
        said.append(fate["reason"])
    return ", ".join(said)


def _notes(answer: Row) -> list[str]:
    notes = []
    if not answer["messages"]:
        kept = f"keep = {format_duration(answer['keep'])}"
        notes.append(f"not in the store: not received, or settled in every queue and not kept ({kept})")
    if not answer["complete"]:
        reached = f", back to {_time(answer['reached'])}" if answer["reached"] is not None else ""
        notes.append(f"this is not all: the search ended early{reached} (--most, --within)")
    return notes


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
