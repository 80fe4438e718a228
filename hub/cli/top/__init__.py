"""``hubbub top``."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import click

from hub.cli.common import ConfigReader, config_option, json_option
from hub.cli.remote import Remote
from hub.control.client import Client
from hub.errors import Unavailable

WATCH_TIMEOUT = 5.0
"""Seconds after which a hub that says nothing is shown as away."""
ORDER_TIMEOUT = 10.0


@click.command()
@config_option
@json_option
@click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="Between two looks.",
)
@click.option("--once", is_flag=True, help="Print one table, and end; so it is where the output is no terminal, too.")
def top(load_config: ConfigReader, as_json: bool, interval: float, once: bool) -> None:
    """Watch the consumers live, and steer them; '?' shows the keys.

    With --json: the status as a line of JSON each time, until interrupted.
    """
    path = load_config.socket()
    remote = Remote(Client(path, WATCH_TIMEOUT))
    if as_json:
        from hub.cli.top.plain import print_json

        print_json(remote, interval, once)
    elif once or not (sys.stdout.isatty() and sys.stdin.isatty()):
        from hub.cli.top.plain import print_table

        print_table(remote.status(), time.time())
    else:
        _run(remote, path, interval)


def _run(watched: Remote, path: Path, interval: float) -> None:
    # Imported here: the other ways do without this library, which takes its time to load.
    from hub.cli.top.app import Top
    from hub.cli.top.model import Model
    from hub.cli.top.remembered import Remembered, place

    leaving = threading.Event()

    def wait(seconds: float) -> None:
        if leaving.wait(seconds):
            raise Unavailable("it was not waited for")

    remembered = Remembered(place(os.environ))
    model = Model(interval, remembered.sorting(), time.time)
    screen = Top(watched, Remote(Client(path, ORDER_TIMEOUT), wait), model, interval, remembered)
    try:
        screen.run()
    finally:
        leaving.set()
