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
"""Seconds without an answer after which the hub is shown as unreachable."""
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
    help="Time between two updates.",
)
@click.option(
    "--once", is_flag=True, help="Print one table and exit. This is the default if standard output is no terminal."
)
def top(load_config: ConfigReader, as_json: bool, interval: float, once: bool) -> None:
    """Watch and control the consumers live; '?' shows the keys.

    --json prints the status as a line of JSON at each interval, until interrupted.
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
    # Imported here: Textual takes long to load, and the other modes do not need it.
    from hub.cli.top.app import Top
    from hub.cli.top.model import Model
    from hub.cli.top.preferences import Preferences, place

    leaving = threading.Event()

    def wait(seconds: float) -> None:
        if leaving.wait(seconds):
            raise Unavailable("interrupted")

    preferences = Preferences(place(os.environ))
    model = Model(interval, preferences.sorting(), time.time)
    screen = Top(watched, Remote(Client(path, ORDER_TIMEOUT), wait), model, interval, preferences)
    try:
        screen.run()
    finally:
        leaving.set()
