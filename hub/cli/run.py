"""``hubbub run``."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

from hub.cli.common import ConfigReader, config_option


@click.command()
@config_option
def run(load_config: ConfigReader) -> None:
    """Run the hub, in the foreground, until SIGTERM or Ctrl-C.

    SIGHUP reloads the configuration. The log goes to stderr, or to the journal under systemd.
    """
    with suppress(AttributeError):  # there may be none
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # what a consumer prints is seen at once
    from hub.systemd import Notifier

    notifier = Notifier(os.environ)
    from twisted.internet import reactor

    from hub.process import Process

    sys.exit(Process(load_config, reactor, notifier).run())
