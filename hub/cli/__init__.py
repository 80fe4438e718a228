"""The ``hubbub`` command. A subcommand is imported only when it is used, so that ``hubbub status`` starts quickly."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import TYPE_CHECKING

import click

from hub import __version__, entrypoints
from hub.cli.group import Group
from hub.cli.output import complain
from hub.cli.summary import summary_of
from hub.errors import CannotPublish, ConfigError, HubError, OrderRefused, Unavailable
from hub.garbage import GC_THRESHOLD
from hub.text import printable

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

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
    "job": "hub.cli.job:job",
    "refused": "hub.cli.refused:refused",
    "outbox": "hub.cli.outbox:outbox",
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
"""Entry point group of further commands, such as ``archive``."""


class LazyGroup(Group):
    """Command group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the hub's own commands, in the order of first use, then those of plugins."""
        return [*COMMANDS, *(name for name in entrypoints.names(GROUP) if name not in COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; ``None``: there is none of that name."""
        if cmd_name in COMMANDS:
            module, _, attribute = COMMANDS[cmd_name].partition(":")
            found = getattr(importlib.import_module(module), attribute)
            assert isinstance(found, click.Command)
            return found
        point = entrypoints.entry_point(GROUP, cmd_name)
        return None if point is None else _of_plugin(point)

    def summary(self, ctx: click.Context, name: str) -> str | None:
        """The first sentence of a command's help. For the hub's own commands it is read from their source: importing
        all of them takes half a second."""
        point = None if name in COMMANDS else entrypoints.entry_point(GROUP, name)
        target = COMMANDS.get(name) or (point.value if point is not None else "")
        text = summary_of(target) if target.startswith("hub.") else None
        return text if text is not None else super().summary(ctx, name)


def _of_plugin(point: EntryPoint) -> click.Command:
    """Load a plugin's command. If that fails, return one that reports the error, so that all others still work."""
    try:
        found = point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - code of others, at its import
        return _unusable(point, f"{type(error).__name__}: {error}")
    return found if isinstance(found, click.Command) else _unusable(point, f"{point.value} is no command of click's")


def _unusable(point: EntryPoint, why: str) -> click.Command:
    """A command that takes any arguments and raises :class:`Unavailable`. :param why: the reason."""
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
    """The console script. Exit codes after sysexits: 64 usage, 65 a message that the bus does not take, 69 unavailable,
    70 a bug, 74 I/O, 78 configuration.

    With ``--json``, errors are also written to standard output, as ``{"problems": [...]}``.
    """
    gc.set_threshold(GC_THRESHOLD)
    try:
        code, problems = _run()
        if problems and "--json" in sys.argv[1:]:
            from hub.cli.json_output import json_text

            click.echo(json_text({"problems": problems}))
    except BrokenPipeError:
        # The reader closed the pipe (``hubbub tail | head``); Python must not report that at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def _run() -> tuple[int, list[str]]:
    """Run the command. Returns the exit code and the problems, which have been printed."""
    try:
        code = cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return os.EX_USAGE if isinstance(error, click.UsageError) else error.exit_code, [error.format_message()]
    except click.Abort as error:
        if error.__cause__ is not None:  # Ctrl-C
            return 130, []
        click.echo(err=True)
        return 130, complain(["nothing was done"])  # a question was answered with no, or not at all
    except KeyboardInterrupt:
        return 130, []
    except BrokenPipeError:
        raise
    except ConfigError as error:
        return os.EX_CONFIG, complain(error.problems)
    except CannotPublish as error:
        return os.EX_DATAERR, complain(str(error).splitlines())
    except HubError as error:
        unavailable = isinstance(error, (OrderRefused, Unavailable))
        return os.EX_UNAVAILABLE if unavailable else os.EX_SOFTWARE, complain(str(error).splitlines())
    except OSError as error:
        return os.EX_IOERR, complain([str(error)])
    return code if isinstance(code, int) else 0, []
