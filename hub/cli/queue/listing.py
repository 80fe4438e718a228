"""``hubbub queue list`` and ``show``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.json_output import json_text
from hub.cli.names import queue_argument
from hub.cli.numbers import text_of
from hub.cli.output import none
from hub.cli.remote import Remote
from hub.cli.times import caught_up, clock_time, state
from hub.stats.reading import told, words
from hub.status.catalogue import metric_of
from hub.text import printable
from hub.units import format_duration

WIDTH = 16


@click.command("list")
@config_option
@json_option
def list_(load_config: ConfigReader, as_json: bool) -> None:
    """List all queues."""
    now = time.time()
    rows = Remote(client_of(load_config)).status()["consumers"]
    for name, row in rows.items():
        click.echo(json_text({"queue": name, **row}) if as_json else _line(name, row, now))
    if not rows:
        none("no queues", as_json)


@click.command()
@queue_argument
@config_option
@json_option
def show(load_config: ConfigReader, name: str, as_json: bool) -> None:
    """Show the status of the queue NAME and of its consumer."""
    row = Remote(client_of(load_config)).row(name)
    if as_json:
        click.echo(json_text({"queue": name, **row}, indented=True))
        return
    for title, value in described(row, time.time()):
        click.echo(printable(f"{title + ':':<{WIDTH}}{value}"))


def described(row: dict[str, Any], now: float) -> Iterator[tuple[str, str]]:
    """The status of a queue for people: titles and values, which may be unprintable."""
    yield "state", state(row, now)
    yield "consumer", f"{row['type'] or 'none'}, {row['threads']} thread{'s' * (row['threads'] != 1)}"
    if row.get("readers") is not None:
        yield _number(row, "readers")
    yield "topics", " ".join(row["topics"]) or "none"
    yield "backlog", f"{row['backlog']}, of which {row['in_flight']} in flight and {row['delayed']} wait for a retry"
    yield _number(row, "oldest_age")
    yield "rates", f"{_rate(row['rate_in'])} in, {_rate(row['rate_out'])} out"
    yield "caught up", caught_up(row, now)
    yield _number(row, "utilisation")
    yield _number(row, "consume_time")
    yield _number(row, "age_at_finish")
    yield "received", f"{row['received']}, {text_of('consumers', row, 'received_bytes')}"
    yield _number(row, "finished")
    yield "failed", f"{row['failed']}, retried {row['retried']}, rejected {row['rejected']}"
    yield "dead letters", f"{row['dead_letters']}"
    causes = ", ".join(f"{cause} {count}" for cause, count in row["dropped_by"].items() if count)
    yield "dropped", f"{row['dropped']}{f' ({causes})' if causes else ''}"
    yield "durable", "yes" if row["durable"] else "no"
    yield from (("condition", f"{one['word']}: {one['reason']}") for one in told(row) if one["reason"])
    if row.get("error"):
        yield "does not start", row["error"]
    if row.get("tick_error"):
        yield "tick() fails", row["tick_error"]
    if (last := row.get("last_error")) is not None:
        yield "last error", last_error(last, now)
    if (own := row.get("own")) is not None:
        yield "own status", json.dumps(own)


def last_error(error: dict[str, Any], now: float) -> str:
    """The last error of a consumer, on one line."""
    where = f"{error['topic']}, {error['message_id']}, attempt {error['attempt']}"
    return f"{clock_time(error['time'], now)} {error['error']}: {error['text']} ({where})"


def _number(row: Mapping[str, Any], key: str) -> tuple[str, str]:
    return metric_of("consumers", key).title, text_of("consumers", row, key)


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}/s"


def _line(name: str, row: dict[str, Any], now: float) -> str:
    age = "" if row["oldest_age"] is None else f", the oldest for {format_duration(row['oldest_age'])}"
    until = "" if row.get("paused_until") is None else f", paused until {clock_time(row['paused_until'], now)}"
    text = f"{name:<24}{words(row):<12}{row['backlog']:>10} waiting, {row['dead_letters']} dead{age}{until}"
    return printable(text)
