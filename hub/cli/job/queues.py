"""``hubbub job queues``: their numbers, and a check of them for cron and for programs that run Nagios' plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from hub.cli.backlog.check_backlog import Seconds
from hub.cli.backlog.report import Finding, Measure, Report
from hub.cli.backlog.thresholds import Level, Limit, Range
from hub.cli.common import json_option
from hub.cli.job.database import JobsDatabase, database_option, queue_names
from hub.cli.json_output import json_text
from hub.cli.output import none
from hub.errors import ConfigError, OrderRefused, Unavailable
from hub.text import counted, printable, some_of
from hub.units import format_duration

if TYPE_CHECKING:
    from hub.jobs import JobCounts

MOST_IN_SUMMARY = 3


@dataclass(frozen=True)
class JobLimits:
    """Numbers above which the check alerts. :ivar age: seconds that the oldest waiting job has waited."""

    age: Limit
    waiting: Limit
    dead: Limit


@click.command()
@click.argument("names", nargs=-1, metavar="[QUEUE]...", shell_complete=queue_names)
@database_option
@json_option
@click.option("--maxage", type=Seconds(), metavar="AGE", help="Warn if the oldest waiting job is older, such as 10m.")
@click.option("--maxage-critical", type=Seconds(), metavar="AGE", help="Critical if it is older.")
@click.option("--maxcount", type=click.IntRange(min=0), metavar="COUNT", help="Warn if more jobs wait.")
@click.option("--maxcount-critical", type=click.IntRange(min=0), metavar="COUNT", help="Critical if more jobs wait.")
@click.option("--maxdead", type=click.IntRange(min=0), metavar="COUNT", help="Warn if there are more dead letters.")
@click.option("--quiet", "-q", is_flag=True, help="With limits: print nothing if all is well, for cron.")
def queues(
    database: JobsDatabase,
    names: Sequence[str],
    as_json: bool,
    maxage: float | None,
    maxage_critical: float | None,
    maxcount: int | None,
    maxcount_critical: int | None,
    maxdead: int | None,
    quiet: bool,
) -> int:
    """List queues of jobs: each QUEUE, or all.

    With a limit it is a check, as 'hubbub check-backlog': the exit code is 0, or 1 for a warning, 2 if a queue is
    critical or the database is away, 3 if it can't be checked. A queue that is paused is a warning.
    """
    limits = JobLimits(
        Limit(_above(maxage), _above(maxage_critical)),
        Limit(_above(maxcount), _above(maxcount_critical)),
        Limit(_above(maxdead)),
    )
    if limits == JobLimits(Limit(), Limit(), Limit()):
        if quiet:
            raise click.UsageError("--quiet is for a check: give a limit, such as --maxage")
        _list(_read(database, names), as_json)
        return 0
    report = _checked(database, names, limits)
    if report.level is not Level.OK or not quiet:
        click.echo(json_text(document_of(report)) if as_json else report.text())
    return int(report.level)


def _above(number: float | None) -> Range | None:
    return None if number is None else Range.above(number)


def _read(database: JobsDatabase, names: Sequence[str]) -> dict[str, JobCounts]:
    """Numbers of these queues, or of all, also those that have no job now. :raises OrderRefused: one is not there."""
    from hub.jobs import JobCounts

    with database.open() as jobs:
        known = jobs.queue_names()
        counts = jobs.counts()
    if missing := [name for name in names if name not in known]:
        raise OrderRefused(printable(f"no queue is called {', '.join(missing)}: there are {some_of(known)}"))
    return {name: counts.get(name, JobCounts()) for name in dict.fromkeys(names) or known}


def row_of(queue: str, counts: JobCounts) -> dict[str, Any]:
    """Numbers of a queue for programs."""
    return {
        "queue": queue,
        "waiting": counts.waiting,
        "oldest_age": counts.oldest if counts.waiting else None,
        "delayed": counts.delayed,
        "running": counts.running,
        "dead": counts.dead,
        "paused": counts.paused,
        "reason": counts.reason,
    }


def line_of(queue: str, counts: JobCounts) -> str:
    """Numbers of a queue for people. Printable."""
    age = f", the oldest for {format_duration(counts.oldest)}" if counts.waiting else ""
    paused = f", {_paused(counts)}" if counts.paused else ""
    numbers = f"{counts.delayed} delayed, {counts.running} running, {counts.dead} dead"
    return printable(f"{queue:<24}{counts.waiting:>10} waiting{age}, {numbers}{paused}")


def _paused(counts: JobCounts) -> str:
    return f"paused: {counts.reason}" if counts.reason else "paused"


def _list(found: Mapping[str, JobCounts], as_json: bool) -> None:
    for queue, counts in found.items():
        click.echo(json_text(row_of(queue, counts)) if as_json else line_of(queue, counts))
    if not found:
        none("no queues", as_json)


def _checked(database: JobsDatabase, names: Sequence[str], limits: JobLimits) -> Report:
    """Check, and report also why it is not possible."""
    try:
        return check(_read(database, names), limits)
    except Unavailable as error:
        return Report(Level.CRITICAL, str(error))
    except ConfigError as error:
        return Report(Level.UNKNOWN, error.problems[0], error.problems[1:])
    except (OrderRefused, click.ClickException) as error:
        return Report(Level.UNKNOWN, str(error))
    except Exception as error:  # noqa: BLE001 - a traceback's exit code, 1, would be a warning
        return Report(Level.UNKNOWN, f"the check failed: {type(error).__name__}: {error}")


def check(found: Mapping[str, JobCounts], limits: JobLimits) -> Report:
    """Check the numbers of queues."""
    findings: list[Finding] = []
    perfdata: list[str] = []
    for queue, counts in found.items():
        measures = [
            Measure("waiting", counts.waiting, "", limits.waiting),
            Measure("age", counts.oldest, "s", limits.age),
            Measure("dead", counts.dead, "", limits.dead),
        ]
        findings += [finding for measure in measures if (finding := measure.finding(queue)) is not None]
        if counts.paused:
            findings.append(Finding(Level.WARNING, f"{queue}: {_paused(counts)}", queue))
        perfdata += [measure.perfdata(queue) for measure in measures]
    findings.sort(key=lambda finding: -finding.level)
    level = max((finding.level for finding in findings), default=Level.OK)
    details = [" ".join(line_of(queue, counts).split()) for queue, counts in found.items()]
    if len(findings) > MOST_IN_SUMMARY:
        details[:0] = [f"{finding.level.name}: {finding.text}" for finding in findings]
    rows = {queue: row_of(queue, counts) for queue, counts in found.items()}
    return Report(level, _summary(findings, found), details, perfdata, findings, rows)


def _summary(findings: Sequence[Finding], found: Mapping[str, JobCounts]) -> str:
    if findings:
        more = len(findings) - MOST_IN_SUMMARY
        told = "; ".join(finding.text for finding in findings[:MOST_IN_SUMMARY])
        return told + (f"; {more} more" if more > 0 else "")
    waiting = sum(counts.waiting for counts in found.values())
    return f"{counted(waiting, 'job')} waiting in {counted(len(found), 'queue')}"


def document_of(report: Report) -> dict[str, Any]:
    """The report for programs: that of ``hubbub check-backlog``, with queues for its consumers."""
    document = report.document()
    for finding in document["findings"]:
        finding["queue"] = finding.pop("consumer")
    rows = document.pop("consumers")
    return {**document, "queues": rows}
