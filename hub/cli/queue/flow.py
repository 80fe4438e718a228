"""``hubbub queue pause``, ``resume`` and ``drain``."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.names import queue_argument
from hub.cli.output import say, waiting
from hub.cli.remote import POLL_EVERY, Remote
from hub.cli.times import later, state
from hub.errors import Unavailable
from hub.stats.reading import words
from hub.text import counted, printable


@click.command()
@queue_argument
@config_option
@json_option
@click.option("--for", "duration", metavar="DURATION", help="Pause for this time, such as 1h.")
@click.option("--until", metavar="WHEN", help="Pause until this time, such as 14:30 or 2026-11-21T08:00.")
def pause(load_config: ConfigReader, name: str, as_json: bool, duration: str | None, until: str | None) -> None:
    """Pause the consumer NAME: it gets no more messages, while its queue continues to fill. Without options the pause
    lasts until 'resume'. A drained consumer must be resumed first."""
    if duration and until:
        raise click.UsageError("give --for or --until, not both")
    moment = until or duration
    when = None if moment is None else later(moment, time.time())
    order = {"consumer": name} if when is None else {"consumer": name, "until": when}
    _say_state(client_of(load_config).post("/pause", order), as_json)


@click.command()
@queue_argument
@config_option
@json_option
def resume(load_config: ConfigReader, name: str, as_json: bool) -> None:
    """Resume the consumer NAME after a pause or a drain."""
    _say_state(client_of(load_config).post("/resume", {"consumer": name}), as_json)


@click.command()
@queue_argument
@config_option
@json_option
@click.option("--wait", is_flag=True, help="Wait until the queue is empty.")
def drain(load_config: ConfigReader, name: str, as_json: bool, wait: bool) -> None:
    """Drain the consumer NAME: it works off its queue, and no more messages are routed to it.

    New messages for it are dropped and counted until 'hubbub queue resume NAME'. A paused consumer must be resumed
    first.
    """
    client = client_of(load_config)
    row = client.post("/drain", {"consumer": name})
    if wait:
        from hub.cli.progress import watch_empty

        remote = Remote(client)
        watch_empty(lambda: _left(remote, name), as_json)
        row = {"queue": name, **remote.row(name)}
    _say_state(row, as_json)


def _left(remote: Remote, name: str) -> Iterator[int]:
    """The backlog at each poll, until it is 0. :raises Unavailable: the consumer no longer drains."""
    while (row := remote.row(name))["state"] != "drained":
        if not row["draining"]:
            left = counted(row["backlog"], "message")
            raise Unavailable(f"{name} no longer drains: it is {words(row)}, with {left} left")
        yield row["backlog"]
        remote.wait(POLL_EVERY)
    yield 0


def _say_state(row: Mapping[str, Any], as_json: bool) -> None:
    known = {key: row.get(key) for key in ("queue", "state", "paused", "paused_until", "draining", "backlog")}
    say(as_json, known, printable(f"{row['queue']} is {state(row, time.time())}, {waiting(row['backlog'])}"))
