"""``hubbub drain`` and ``hubbub resume``, for the whole hub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.output import say, waiting
from hub.cli.progress import watch_empty
from hub.cli.remote import POLL_EVERY, Remote
from hub.errors import Unavailable
from hub.status.rows import stable
from hub.status.states import NOBODY
from hub.text import counted, printable


@click.command()
@config_option
@json_option
@click.option("--wait", is_flag=True, help="Wait until all queues are empty.")
def drain(load_config: ConfigReader, as_json: bool, wait: bool) -> None:
    """Drain the hub: hold back all buses while the consumers work off their queues; 'hubbub resume' undoes it.

    A broker keeps the messages that are held back. A bus without a broker loses what is sent meanwhile. Paused queues
    are not worked off; --wait names them.
    """
    client = client_of(load_config)
    answer = client.post("/drain-hub", {})
    if wait:
        remote = Remote(client)
        paused = [name for name, row in remote.status()["consumers"].items() if _is_paused(row)]
        if paused:
            click.echo(printable(f"hubbub: paused, and not empty: {', '.join(paused)}"), err=True)
        watch_empty(lambda: _left(remote), as_json)
        status = remote.status()
        answer = {"draining": bool(status["hub"].get("draining")), "backlog": backlog(status)}
    _say_state(answer, as_json)


@click.command()
@config_option
@json_option
def resume(load_config: ConfigReader, as_json: bool) -> None:
    """Resume the buses after 'hubbub drain'."""
    _say_state(client_of(load_config).post("/resume-hub", {}), as_json)


def _is_paused(row: dict[str, Any]) -> bool:
    return bool(row["paused"] and row["backlog"])


def backlog(status: dict[str, Any]) -> int:
    """The backlog of all queues, without those that nobody drains."""
    rows = stable(status["consumers"]).values()
    return sum(row["backlog"] for row in rows if row["state"] != "orphan" and row.get("drained_by") != NOBODY)


def _left(remote: Remote) -> Iterator[int]:
    """The backlog at each poll, until it is 0. :raises Unavailable: the hub was resumed meanwhile."""
    while left := backlog(status := remote.status()):
        if not status["hub"]["draining"]:
            raise Unavailable(f"the hub was resumed, with {counted(left, 'message')} left")
        yield left
        remote.wait(POLL_EVERY)
    yield 0


def _say_state(answer: dict[str, Any], as_json: bool) -> None:
    draining, left = answer["draining"], answer["backlog"]
    held, free = f"the buses are held back, {counted(left, 'message')} left", f"the hub receives, {waiting(left)}"
    say(as_json, answer, held if draining else free)
