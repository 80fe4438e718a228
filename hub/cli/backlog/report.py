"""The report of ``hubbub check-backlog`` for a monitoring system, made from a status. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hub.cli.backlog.thresholds import Level, Limit, Range, plain
from hub.cli.times import paused, state
from hub.stats.reading import told, words
from hub.status.rows import stable
from hub.status.states import ORDERS
from hub.text import printable
from hub.units import format_duration

GOOD_HUB_STATES = {"starting", "running", "reloading"}
LEVELS = {"ok": Level.OK, "info": Level.OK, "warn": Level.WARNING}
"""Alert levels of a condition's level; all others are critical. ``WORDS`` makes exceptions."""
WORDS = {**dict.fromkeys(ORDERS, Level.WARNING), "orphan": Level.OK, "falling behind": Level.OK}
"""Alert levels of single conditions. An operator's order is a warning, because orders are forgotten. Falling behind is
an alert only with ``--catch-up``: a consumer also falls behind during a short spike."""
NEVER = Limit()
MOST_IN_SUMMARY = 3
LONGEST_LINE = 500


@dataclass(frozen=True)
class Limits:
    """Limits of the check. Ages and times are in seconds, the others in messages."""

    backlog: Limit = NEVER
    age: Limit = NEVER
    catch_up: Limit = NEVER
    dead: Limit = NEVER


@dataclass(frozen=True)
class Measure:
    """A number of a consumer. :ivar value: ``None`` if it is not known; that is no alert."""

    name: str
    value: float | None
    unit: str
    limit: Limit

    def perfdata(self, consumer: str) -> str:
        """``'archive backlog'=545;1000;10000;0``; ``U`` stands for a value that is not known."""
        label = f"{consumer} {self.name}".replace("'", "''").replace("=", "_")
        value = "U" if self.value is None else f"{plain(self.value)}{self.unit}"
        return f"'{label}'={value};{self.limit.warning or ''};{self.limit.critical or ''};0"

    def finding(self, consumer: str) -> Finding | None:
        """The finding, where a limit is exceeded."""
        if self.value is None:
            return None
        level, limit = self.limit.judge(self.value)
        if limit is None:
            return None
        text = f"{self.name.replace('_', ' ')} {self._shown(self.value)} (limit {self._limit(limit)})"
        return Finding(level, f"{consumer}: {text}", consumer)

    def _shown(self, value: float) -> str:
        return format_duration(value) if self.unit == "s" else plain(value)

    def _limit(self, limit: Range) -> str:
        return format_duration(limit.high) if self.unit == "s" else str(limit)


@dataclass(frozen=True)
class Finding:
    """A problem of a consumer. :ivar consumer: ``None`` for a problem of the hub itself."""

    level: Level
    text: str
    consumer: str | None = None


@dataclass(frozen=True)
class Report:
    """The output of the plugin."""

    level: Level
    summary: str
    details: Sequence[str] = ()
    perfdata: Sequence[str] = ()
    findings: Sequence[Finding] = ()
    consumers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def text(self) -> str:
        """The output: a line with the performance data behind ``|``, then lines of details."""
        data = f" | {' '.join(self.perfdata)}" if self.perfdata else ""
        first = f"HUBBUB {self.level.name} - {_line(self.summary)}{data}"
        return "\n".join([first, *(_line(detail) for detail in self.details)])

    def document(self) -> dict[str, Any]:
        """The report for programs."""
        findings = [{**asdict(finding), "level": finding.level.name} for finding in self.findings]
        head = {"state": self.level.name, "code": int(self.level), "summary": self.summary}
        return {**head, "details": list(self.details), "findings": findings, "consumers": dict(self.consumers)}


def _line(text: str) -> str:
    """A printable line, shortened, without ``|``, which would begin performance data."""
    shown = printable(text).replace("|", "/")
    return shown if len(shown) <= LONGEST_LINE else f"{shown[:LONGEST_LINE]}..."


def check(status: Mapping[str, Any], names: Sequence[str], limits: Limits, now: float) -> Report:
    """Check a status against limits.

    :param names: names of consumers; if empty, all rows that are exported are checked, and whether the hub is ready.
    :param now: epoch seconds.
    """
    rows = status["consumers"]
    if missing := [name for name in names if name not in rows]:
        there = f"there are: {', '.join(rows) or 'none'}"
        return Report(Level.UNKNOWN, f"no consumer is called {', '.join(missing)}; {there}")
    findings = list(_of_the_hub(status["hub"]))
    perfdata, details, consumers = [], [], {}
    for name in dict.fromkeys(names) or stable(rows):
        row = rows[name]
        measures = list(_measures(row, limits))
        findings += _of_a_consumer(name, row, measures, limits, now)
        perfdata += [measure.perfdata(name) for measure in measures]
        details.append(_detail(name, row, now))
        consumers[name] = {"state": row["state"], **{measure.name: measure.value for measure in measures}}
    if not names and not findings and not status["hub"].get("ready", True):
        findings += [
            Finding(Level.CRITICAL, reason) for reason in status["hub"].get("not_ready") or ["the hub is not ready"]
        ]
    findings.sort(key=lambda finding: -finding.level)
    if len(findings) > MOST_IN_SUMMARY:
        details[:0] = [f"{finding.level.name}: {finding.text}" for finding in findings]
    level = max((finding.level for finding in findings), default=Level.OK)
    return Report(level, _summary(findings, consumers), details, perfdata, findings, consumers)


def _of_the_hub(hub: Mapping[str, Any]) -> Iterator[Finding]:
    store = hub["store"]
    if store["state"] != "ok":
        yield Finding(Level.CRITICAL, f"the store is {store['state']}: {store.get('reason') or 'no reason given'}")
    if hub["state"] not in GOOD_HUB_STATES:
        yield Finding(Level.WARNING, f"the hub is {hub['state']}")
    if hub.get("held_back_by"):
        yield Finding(Level.WARNING, f"the buses are held back: {hub['held_back_by']}")
    elif hub.get("draining"):
        yield Finding(Level.WARNING, "the hub is drained: the buses are held back")


def _measures(row: Mapping[str, Any], limits: Limits) -> Iterator[Measure]:
    yield Measure("backlog", row["backlog"], "", limits.backlog)
    yield Measure("age", row["oldest_age"] or 0, "s", limits.age)
    yield Measure("catch_up", row["catch_up_seconds"], "s", limits.catch_up)
    if limits.dead != NEVER:
        # Present letters only: an alert on all letters ever buried would never end.
        yield Measure("dead", row["dead_letters"], "", limits.dead)


def _of_a_consumer(
    name: str, row: Mapping[str, Any], measures: Sequence[Measure], limits: Limits, now: float
) -> Iterator[Finding]:
    for one in told(row):
        level = WORDS.get(one["word"], LEVELS.get(one["level"], Level.CRITICAL))
        if level != Level.OK:
            yield Finding(level, f"{name}: {_told(one, row, now)}", name)
    yield from (finding for measure in measures if (finding := measure.finding(name)) is not None)
    if limits.catch_up.warning is not None and row["trend"] == "falling_behind":
        # Never critical: it may be a short spike. -c limits the backlog.
        yield Finding(Level.WARNING, f"{name}: falling behind", name)


def _told(condition: Mapping[str, Any], row: Mapping[str, Any], now: float) -> str:
    """A condition in words: ``failing to start: OSError: no such file``, or ``paused until 14:30:00``."""
    word, reason = str(condition["word"]), condition["reason"]
    if word == "paused":
        return paused(row, now)
    if word == "failing to start" and row.get("error"):
        reason = row["error"]
    return f"{word}: {reason}" if reason else word


def _detail(name: str, row: Mapping[str, Any], now: float) -> str:
    oldest = "" if row["oldest_age"] is None else f", the oldest {format_duration(row['oldest_age'])} old"
    left = row["catch_up_seconds"]
    ending = f", caught up in {format_duration(left)}" if left else ""
    if row["trend"] == "falling_behind" and "falling behind" not in words(row):
        ending = ", falling behind"
    return f"{name}: {state(row, now)}, backlog {row['backlog']}{oldest}{ending}"


def _summary(findings: Sequence[Finding], consumers: Mapping[str, Mapping[str, Any]]) -> str:
    if findings:
        more = len(findings) - MOST_IN_SUMMARY
        return "; ".join(finding.text for finding in findings[:MOST_IN_SUMMARY]) + (
            f"; {more} more" if more > 0 else ""
        )
    total = plain(sum(row["backlog"] for row in consumers.values()))
    if len(consumers) == 1:
        return f"{next(iter(consumers))}: backlog {total}"
    return f"backlog {total} in {len(consumers)} consumers"
