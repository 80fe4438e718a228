"""The ``hubbub`` command. Each subcommand is imported only when it is used, so that ``hubbub status`` is quick."""

from __future__ import annotations

import importlib
import os
import sys

import click

from hub import __version__, plugins
from hub.control.client import Refused
from hub.errors import ConfigError, HubError, Unavailable

COMMANDS = {
    "run": "hub.cli.run:run",
    "check": "hub.cli.config:check",
    "config": "hub.cli.config:config",
    "status": "hub.cli.status:status",
    "check-backlog": "hub.cli.backlog.check_backlog:check_backlog",
    "top": "hub.cli.top:top",
    "queue": "hub.cli.queue:queue",
    "threads": "hub.cli.threads:threads",
    "dead": "hub.cli.dead:dead",
    "replay": "hub.cli.replay:replay",
    "drain": "hub.cli.drain:drain",
    "resume": "hub.cli.drain:resume",
    "reload": "hub.cli.reload:reload",
    "publish": "hub.cli.publish:publish",
    "tail": "hub.cli.tail:tail",
    "trace": "hub.cli.trace:trace",
    "feed": "hub.cli.feed:feed",
    "fsck": "hub.cli.fsck:fsck",
    "completion": "hub.cli.completion:completion",
}
GROUP = "hub.commands"
"""Entry points of further commands, such as ``archive``, which bring their own."""


class LazyGroup(click.Group):
    """Finds its commands by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The hub's own in the order in which one meets them, then those of plugins."""
        return [*COMMANDS, *(name for name in plugins.names(GROUP) if name not in COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import it."""
        if cmd_name in COMMANDS:
            module, _, attribute = COMMANDS[cmd_name].partition(":")
            found = getattr(importlib.import_module(module), attribute)
        elif (point := plugins.entry_point(GROUP, cmd_name)) is not None:
            found = point.load()
        else:
            return None
        assert isinstance(found, click.Command)
        return found


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="hubbub")
def cli() -> None:
    """A message hub: every consumer has its own queue, its own threads, and a backlog that is a number."""


def main() -> None:
    """The console script. Exit codes after sysexits: 64 usage, 69 unavailable, 70 a bug, 74 I/O, 78 configuration."""
    try:
        code = cli.main(standalone_mode=False)
    except click.UsageError as error:
        error.show()
        code = os.EX_USAGE
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        # Whoever read our output had enough (``hubbub tail | head``); Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except ConfigError as error:
        _complain(error.problems)
        code = os.EX_CONFIG
    except HubError as error:
        _complain(str(error).splitlines())
        code = os.EX_UNAVAILABLE if isinstance(error, (Refused, Unavailable)) else os.EX_SOFTWARE
    except OSError as error:
        _complain([str(error)])
        code = os.EX_IOERR
    sys.exit(code if isinstance(code, int) else 0)


def _complain(lines: list[str]) -> None:
    for line in lines:
        click.echo(f"hubbub: {line}", err=True)
