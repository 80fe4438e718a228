"""``hubbub drain`` and ``hubbub resume``, for the whole hub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.remote import POLL_EVERY, Remote
from hub.cli.saying import say, waiting, watch_empty
from hub.errors import Unavailable
from hub.text import counted, printable


@click.command()
@config_option
@json_option
@click.option("--wait", is_flag=True, help="Until every queue is empty.")
def drain(load_config: ConfigReader, as_json: bool, wait: bool) -> None:
    """Hold back all buses, and let the consumers work off what there is; 'hubbub resume' undoes it.

    A broker keeps what is held back; what a bus without one sends meanwhile is lost. Queues that are paused are not
    worked off: with --wait they are named.
    """
    remote = Remote(client_of(load_config))
    remote.drain_hub()
    if wait:
        paused = [name for name, row in remote.status()["consumers"].items() if _is_paused(row)]
        if paused:
            click.echo(printable(f"hubbub: paused, and not empty: {', '.join(paused)}"), err=True)
        watch_empty(lambda: _left(remote), as_json)
    _say_state(remote, as_json)


@click.command()
@config_option
@json_option
def resume(load_config: ConfigReader, as_json: bool) -> None:
    """Let the buses come again, after 'hubbub drain'."""
    remote = Remote(client_of(load_config))
    remote.resume_hub()
    _say_state(remote, as_json)


def _is_paused(row: dict[str, Any]) -> bool:
    return bool(row["paused"] and row["backlog"])


def backlog(status: dict[str, Any]) -> int:
    """Of all queues that belong to a consumer."""
    return sum(row["backlog"] for row in status["consumers"].values() if row["state"] != "orphan")


def _left(remote: Remote) -> Iterator[int]:
    """What is left, until there is nothing. :raises Unavailable: somebody let the buses come again."""
    while left := backlog(status := remote.status()):
        if not status["hub"]["draining"]:
            raise Unavailable(f"the hub no longer drains, with {counted(left, 'message')} left")
        yield left
        remote.wait(POLL_EVERY)
    yield 0


def _say_state(remote: Remote, as_json: bool) -> None:
    status = remote.status()
    draining, left = bool(status["hub"].get("draining")), backlog(status)
    held, free = f"the buses are held back, {counted(left, 'message')} left", f"the buses come, {waiting(left)}"
    say(as_json, {"draining": draining, "backlog": left}, held if draining else free)
