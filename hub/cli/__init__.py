"""The ``hubbub`` command. Each subcommand is imported only when it is used, so that ``hubbub status`` is quick."""

from __future__ import annotations

import importlib
import os
import sys
from importlib.metadata import EntryPoint

import click

from hub import __version__, plugins
from hub.cli.document import json_text
from hub.cli.group import Group
from hub.cli.saying import complain
from hub.control.client import Refused
from hub.errors import ConfigError, HubError, Unavailable
from hub.text import printable

COMMANDS = {
    "init": "hub.cli.init:init",
    "run": "hub.cli.run:run",
    "check": "hub.cli.config:check",
    "config": "hub.cli.config:config",
    "status": "hub.cli.status:status",
    "check-backlog": "hub.cli.backlog.check_backlog:check_backlog",
    "top": "hub.cli.top:top",
    "queue": "hub.cli.queue:queue",
    "threads": "hub.cli.threads:threads",
    "dead": "hub.cli.dead:dead",
    "refused": "hub.cli.refused:refused",
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


class LazyGroup(Group):
    """Finds its commands by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The hub's own in the order in which one meets them, then those of plugins."""
        return [*COMMANDS, *(name for name in plugins.names(GROUP) if name not in COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import it."""
        if cmd_name in COMMANDS:
            module, _, attribute = COMMANDS[cmd_name].partition(":")
            found = getattr(importlib.import_module(module), attribute)
            assert isinstance(found, click.Command)
            return found
        point = plugins.entry_point(GROUP, cmd_name)
        return None if point is None else _of_plugin(point)


def _of_plugin(point: EntryPoint) -> click.Command:
    """Its command; where it can't be imported, one that says so: the others go on to work, and to have their help."""
    try:
        found = point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - code of others, at its import
        return _unusable(point, f"{type(error).__name__}: {error}")
    return found if isinstance(found, click.Command) else _unusable(point, f"{point.value} is no command of click's")


def _unusable(point: EntryPoint, why: str) -> click.Command:
    """Whatever it is given, it says why."""
    text = f"the command {point.name!r} of {_distribution(point)} can't be imported: {why}"

    def refuse(**_: object) -> None:
        raise Unavailable(text)

    anything = click.Argument(["anything"], nargs=-1, type=click.UNPROCESSED)
    settings = {"ignore_unknown_options": True, "help_option_names": []}
    short = printable(f"(can't be imported: {why})")
    return click.Command(point.name, settings, refuse, [anything], help=short, add_help_option=False)


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an installed package"


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="hubbub")
def cli() -> None:
    """A message hub: every consumer has its own queue, its own threads, and a backlog that is a number."""


def main() -> None:
    """The console script. Exit codes after sysexits: 64 usage, 69 unavailable, 70 a bug, 74 I/O, 78 configuration.

    With ``--json`` what went wrong is ``{"problems": [...]}`` on standard output, too.
    """
    try:
        code, problems = _run()
        if problems and "--json" in sys.argv[1:]:
            click.echo(json_text({"problems": problems}))
    except BrokenPipeError:
        # Whoever read our output had enough (``hubbub tail | head``); Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _run() -> tuple[int, list[str]]:
    """The exit code, and what went wrong, which has been said in words."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return os.EX_USAGE if isinstance(error, click.UsageError) else error.exit_code, [error.format_message()]
    except click.Abort as error:
        if error.__cause__ is not None:  # Ctrl-C, wherever it was
            return 130, []
        click.echo(err=True)
        return 130, complain(["nothing was done"])  # to a question the answer was no, or there was none
    except KeyboardInterrupt:
        return 130, []
    except BrokenPipeError:
        raise
    except ConfigError as error:
        return os.EX_CONFIG, complain(error.problems)
    except HubError as error:
        unavailable = isinstance(error, (Refused, Unavailable))
        return os.EX_UNAVAILABLE if unavailable else os.EX_SOFTWARE, complain(str(error).splitlines())
    except OSError as error:
        return os.EX_IOERR, complain([str(error)])
    return code if isinstance(code, int) else 0, []
