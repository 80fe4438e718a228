"""``hubbub run``."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from hub.cli.common import ConfigReader, config_option


@click.command()
@config_option
def run(load_config: ConfigReader) -> None:
    """Run the hub in the foreground, until SIGTERM or Ctrl-C.

    SIGHUP reloads the configuration. The log goes to stderr, or to the journal under systemd.
    """
    _run(load_config)


def run_hub(file: Path) -> NoReturn:
    """Run a hub with a configuration file that a command has written, as ``hubbub run`` does."""
    _run(ConfigReader(file, ()))


def _run(load_config: ConfigReader) -> NoReturn:
    with suppress(AttributeError):  # standard output may be closed
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # consumers may print
    # Imports leave no garbage, and to look for it takes a tenth of the start. Process.run() enables it.
    gc.disable()
    from hub.systemd import Notifier

    notifier = Notifier(os.environ)
    from twisted.internet import reactor

    from hub.process import Process

    sys.exit(Process(load_config, reactor, notifier).run())
