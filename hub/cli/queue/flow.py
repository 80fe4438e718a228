"""``hubbub queue pause``, ``resume`` and ``drain``."""

from __future__ import annotations

import time
from collections.abc import Iterator

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.moment import later
from hub.cli.names import queue_argument
from hub.cli.queue.listing import state
from hub.cli.remote import POLL_EVERY, Remote
from hub.cli.saying import say, waiting, watch_empty
from hub.errors import Unavailable
from hub.stats.condition import words
from hub.text import counted, printable


@click.command()
@queue_argument
@config_option
@json_option
@click.option("--for", "duration", metavar="DURATION", help="Go on after, such as 1h.")
@click.option("--until", metavar="WHEN", help="Go on at, such as 14:30 or 2026-11-21T08:00.")
def pause(load_config: ConfigReader, name: str, as_json: bool, duration: str | None, until: str | None) -> None:
    """Hand no more messages to the consumer NAME; its queue fills meanwhile. Without options: until 'resume'. One that
    is drained is to be resumed first."""
    if duration and until:
        raise click.UsageError("give --for or --until, not both")
    moment = until or duration
    when = None if moment is None else later(moment, time.time())
    remote = Remote(client_of(load_config))
    remote.row(name)
    remote.pause(name, when)
    _say_state(remote, name, as_json)


@click.command()
@queue_argument
@config_option
@json_option
def resume(load_config: ConfigReader, name: str, as_json: bool) -> None:
    """Let the consumer NAME go on, after a pause or a drain."""
    remote = Remote(client_of(load_config))
    remote.row(name)
    remote.resume(name)
    _say_state(remote, name, as_json)


@click.command()
@queue_argument
@config_option
@json_option
@click.option("--wait", is_flag=True, help="Until it is empty.")
def drain(load_config: ConfigReader, name: str, as_json: bool, wait: bool) -> None:
    """Route nothing more to the consumer NAME, and let it work off what it has.

    What would be its own is dropped, and counted, until 'hubbub queue resume NAME'. One that is paused is to be resumed
    first.
    """
    remote = Remote(client_of(load_config))
    remote.row(name)
    remote.drain(name)
    if wait:
        watch_empty(lambda: _left(remote, name), as_json)
    _say_state(remote, name, as_json)


def _left(remote: Remote, name: str) -> Iterator[int]:
    """What is left, until it is drained. :raises Unavailable: it no longer drains."""
    while (row := remote.row(name))["state"] != "drained":
        if not row["draining"]:
            left = counted(row["backlog"], "message")
            raise Unavailable(f"{name} no longer drains: it is {words(row)}, with {left} left")
        yield row["backlog"]
        remote.wait(POLL_EVERY)
    yield 0


def _say_state(remote: Remote, name: str, as_json: bool) -> None:
    row = remote.row(name)
    known = {key: row.get(key) for key in ("state", "paused", "paused_until", "draining", "backlog")}
    text = f"{name} is {state(row, time.time())}, {waiting(row['backlog'])}"
    say(as_json, {"queue": name, **known}, printable(text))
