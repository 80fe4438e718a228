"""``hubbub check-backlog``: a plugin for Nagios, Icinga and all that run such plugins.

The exit code is always 0, 1, 2 or 3, and all output is on standard output. A monitoring system reads nothing else, and
takes any other code for a broken plugin.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from click.exceptions import Exit

from hub import __version__
from hub.cli.backlog.report import Limits, Report, check
from hub.cli.backlog.thresholds import Level, Limit, Range
from hub.cli.json_output import json_text
from hub.cli.names import queues
from hub.configuration.locate import locate
from hub.control.client import Client
from hub.errors import ConfigError, HubError, Unavailable
from hub.units import format_duration, parse_duration


class RangeType(click.ParamType[Range]):
    """Parameter type: a range in the notation of the Monitoring Plugins."""

    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Range:
        """Parse a range. :raises click.BadParameter: the text is none."""
        try:
            return value if isinstance(value, Range) else Range.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Seconds(click.ParamType[float]):
    """Parameter type: a duration such as ``5m``, or a number of seconds, as other plugins take it."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse a duration to seconds. :raises click.BadParameter: the text is none."""
        try:
            return parse_duration(float(value))
        except ValueError:
            pass
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class PluginCommand(click.Command):
    """Command that reports its own failures in the form of the plugin."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the arguments. Wrong usage is reported as UNKNOWN. :raises Exit: with that exit code."""
        as_json = "--json" in args
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            raise Exit(_tell(Report(Level.UNKNOWN, error.format_message()), as_json)) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the check. Any failure of it is reported, see :func:`_failure`."""
        try:
            return super().invoke(ctx)
        except (Exit, click.Abort):
            raise
        except Exception as error:  # noqa: BLE001 - a traceback's exit code, 1, would be a warning
            return _tell(_failure(error), ctx.params["as_json"])


def _failure(error: Exception) -> Report:
    """The report of a failed check: CRITICAL if no hub answers; UNKNOWN without permission or configuration."""
    if isinstance(error, Unavailable) and not isinstance(error.__cause__, PermissionError):
        return Report(Level.CRITICAL, str(error))
    if isinstance(error, ConfigError):
        return Report(Level.UNKNOWN, f"the configuration can't be used: {error.problems[0]}", error.problems[1:])
    if isinstance(error, (HubError, click.ClickException)):
        return Report(Level.UNKNOWN, str(error))
    return Report(Level.UNKNOWN, f"the check failed: {type(error).__name__}: {error}")


def _tell(report: Report, as_json: bool) -> int:
    click.echo(json_text(report.document()) if as_json else report.text())
    return int(report.level)


@click.command("check-backlog", cls=PluginCommand)
@click.argument("names", nargs=-1, metavar="[CONSUMER]...", shell_complete=queues)
@click.option(
    "-w", "--warning", type=RangeType(), help="Warn of such backlogs: '1000' is above it; also '10:', '@5:10'."
)
@click.option("-c", "--critical", type=RangeType(), help="Critical for such backlogs.")
@click.option("--age", type=Seconds(), help="Warn if the oldest message is older.")
@click.option("--age-critical", type=Seconds(), help="Critical if the oldest message is older.")
@click.option("--catch-up", type=Seconds(), help="Warn if catching up takes longer, or the consumer falls behind.")
@click.option("--catch-up-critical", type=Seconds(), help="Critical if catching up takes longer.")
@click.option("--dead", type=click.IntRange(min=0), metavar="COUNT", help="Warn if there are more dead letters.")
@click.option(
    "-t",
    "--timeout",
    type=Seconds(),
    default="10s",
    show_default=True,
    help="Critical if the hub does not answer in time.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration file [default: ./hub.conf, then /etc/hubbub/hub.conf]. Note that -c is --critical here.",
)
@click.option("-s", "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override a setting.")
@click.version_option(__version__, "-V", "--version", prog_name="hubbub check-backlog")
def check_backlog(
    names: Sequence[str], path: Path | None, overrides: Sequence[str], timeout: float, as_json: bool, **options: Any
) -> int:
    """Check whether the hub's consumers keep up: a plugin for Nagios and Icinga.

    It checks each CONSUMER, or all of them. Without limits it reports only states and numbers.
    """
    with _at_most(timeout):
        found = locate(path, overrides)
        report = check(Client(found.socket).get("/status"), names, _limits(**options), time.time())
    doubts = [f"the configuration is invalid: {problem}" for problem in found.problems]
    return _tell(replace(report, details=[*report.details, *doubts]), as_json)


def _limits(
    warning: Range | None,
    critical: Range | None,
    age: float | None,
    age_critical: float | None,
    catch_up: float | None,
    catch_up_critical: float | None,
    dead: int | None,
) -> Limits:
    return Limits(
        Limit(warning, critical),
        Limit(_above(age), _above(age_critical)),
        Limit(_above(catch_up), _above(catch_up_critical)),
        Limit(_above(dead)),
    )


def _above(number: float | None) -> Range | None:
    return None if number is None else Range.above(number)


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """Time limit of the whole check, reading the configuration included. :raises Unavailable: it took longer."""

    def give_up(*_: object) -> None:
        raise Unavailable(f"the hub did not answer within {format_duration(seconds)}")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
