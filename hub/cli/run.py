"""``hubbub run``."""

from __future__ import annotations

import os
import sys

import click

from hub.cli.common import ConfigReader, config_option


@click.command()
@config_option
def run(load_config: ConfigReader) -> None:
    """Run the hub, in the foreground, until SIGTERM or Ctrl-C.

    SIGHUP reloads the configuration. The log goes to stderr, or to the journal under systemd.
    """
    from hub.systemd import Notifier

    notifier = Notifier(os.environ)
    from twisted.internet import reactor

    from hub.process import Process

    sys.exit(Process(load_config, reactor, notifier).run())
