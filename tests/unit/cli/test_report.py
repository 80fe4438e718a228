"""From a status to what a monitoring system is told."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from hub.cli.backlog.report import LONGEST_LINE, Limits, Report, check
from hub.cli.backlog.thresholds import Level, Limit, Range
from tests.support import ROOT
from tests.unit.rows import conditions_of

ROW: dict[str, Any] = {
    "state": "running",
    "backlog": 545,
    "oldest_age": 90.0,
    "catch_up_seconds": 200.0,
    "trend": "catching_up",
    "dead": 9,
    "dead_letters": 0,
    "error": None,
}
NOW = 1_700_000_000.0
PERFDATA = re.compile(r"'[^'=|]+'=(U|-?[0-9.]+)(s|%|c|B)?;[~@:0-9.-]*;[~@:0-9.-]*;0")


def row(**changes: Any) -> dict[str, Any]:
    found = ROW | changes
    return {"conditions": conditions_of(found)} | found


def test_a_hub_of_an_earlier_version_tells_only_the_state() -> None:
    assert judge({"a": ROW | {"state": "stuck", "draining": True}}).summary == "a: stuck; a: draining"


def judge(
    consumers: dict[str, dict[str, Any]] | None = None,
    names: Sequence[str] = (),
    limits: Limits | None = None,
    hub: dict[str, Any] | None = None,
) -> Report:
    known: dict[str, Any] = {"state": "running", "store": {"state": "ok"}, "held_back_by": None}
    status = {"hub": known | (hub or {}), "consumers": consumers or {"archive": row()}}
    return check(status, names, limits or Limits(), NOW)


def above(warning: float | None = None, critical: float | None = None) -> Limit:
    return Limit(*(None if number is None else Range.above(number) for number in (warning, critical)))


def test_a_backlog_that_is_small_enough_is_ok_with_its_numbers() -> None:
    report = judge(limits=Limits(above(1000, 10000), above(300), above(3600)))
    assert report.level == Level.OK
    assert report.text().splitlines() == [
        "HUBBUB OK - archive: backlog 545 | "
        "'archive backlog'=545;1000;10000;0 'archive age'=90s;300;;0 'archive catch_up'=200s;3600;;0",
        "archive: running, backlog 545, the oldest 1m 30s old, caught up in 3m 20s",
    ]


@pytest.mark.parametrize(
    ("limits", "level", "text"),
    [
        (Limits(above(545)), Level.OK, "archive: backlog 545"),
        (Limits(above(544)), Level.WARNING, "archive: backlog 545 (limit 544)"),
        (Limits(above(10, 544)), Level.CRITICAL, "archive: backlog 545 (limit 544)"),
        (Limits(Limit(Range.parse("1000:"))), Level.WARNING, "archive: backlog 545 (limit 1000:)"),
        (Limits(age=above(60)), Level.WARNING, "archive: age 1m 30s (limit 1m)"),
        (Limits(age=above(60, 80)), Level.CRITICAL, "archive: age 1m 30s (limit 1m 20s)"),
        (Limits(catch_up=above(60)), Level.WARNING, "archive: catch up 3m 20s (limit 1m)"),
        (Limits(catch_up=above(60, 120)), Level.CRITICAL, "archive: catch up 3m 20s (limit 2m)"),
    ],
)
def test_each_limit_has_its_level(limits: Limits, level: Level, text: str) -> None:
    report = judge(limits=limits)
    assert (report.level, report.summary) == (level, text)


@pytest.mark.parametrize(
    ("state", "level"),
    [
        *dict.fromkeys(("running", "starting", "orphan"), Level.OK).items(),
        *dict.fromkeys(("paused", "draining", "drained"), Level.WARNING).items(),
        *dict.fromkeys(("stuck", "failing to start", "full", "stopped", "of another version"), Level.CRITICAL).items(),
    ],
)
def test_a_state_has_its_level_without_any_limit(state: str, level: Level) -> None:
    assert judge({"archive": row(state=state)}).level == level


def test_why_a_consumer_does_not_start_is_told() -> None:
    assert (
        judge({"a": row(state="failing to start", error="no |\ndatabase")})
        .text()
        .splitlines()[0]
        .startswith(r"HUBBUB CRITICAL - a: failing to start: no /\ndatabase | 'a backlog'")
    )


def test_falling_behind_is_a_warning_where_catching_up_matters() -> None:
    behind = row(trend="falling_behind", catch_up_seconds=None)
    assert judge({"a": behind}).level == Level.OK
    report = judge({"a": behind}, limits=Limits(catch_up=above(3600, 7200)))
    assert (report.level, report.summary) == (Level.WARNING, "a: falling behind")
    assert "'a catch_up'=U;3600;7200;0" in report.perfdata
    assert report.details == ["a: falling behind, backlog 545, the oldest 1m 30s old"]


def test_what_is_not_known_and_what_is_not_there_is_no_alert() -> None:
    limits = Limits(above(1000), above(1), above(1))
    assert (
        judge({"a": row(backlog=0, oldest_age=None, catch_up_seconds=None, trend="steady")}, limits=limits).level == 0
    )


def test_dead_letters_are_counted_as_they_are_now() -> None:
    limits = Limits(dead=above(2))
    report = judge({"a": row(dead_letters=3)}, limits=limits)
    assert (report.level, report.summary) == (Level.WARNING, "a: dead 3 (limit 2)")
    assert judge({"a": row(dead_letters=2)}, limits=limits).level == Level.OK
    assert judge({"a": row(dead_letters=3)}).level == Level.OK


def test_until_when_it_is_paused_is_said() -> None:
    text = judge({"a": row(state="paused", paused=True, paused_until=NOW + 5 * 86400)}).text()
    day = datetime.fromtimestamp(NOW + 5 * 86400).date()
    assert text.startswith(f"HUBBUB WARNING - a: paused until {day} ")


@pytest.mark.parametrize(
    ("hub", "level", "text"),
    [
        ({"store": {"state": "full", "reason": "no space"}}, Level.CRITICAL, "the store is full: no space"),
        ({"state": "stopping"}, Level.WARNING, "the hub is stopping"),
        ({"held_back_by": "the store"}, Level.WARNING, "the buses are held back: the store"),
        ({"draining": True}, Level.WARNING, "the hub is drained: the buses are held back"),
        ({"ready": False, "not_ready": ["x did not load"]}, Level.CRITICAL, "x did not load"),
        ({"ready": False}, Level.CRITICAL, "the hub is not ready"),
        ({"state": "reloading", "ready": True}, Level.OK, "archive: backlog 545"),
    ],
)
def test_the_hub_itself_is_looked_at_too(hub: dict[str, Any], level: Level, text: str) -> None:
    report = judge(hub=hub)
    assert (report.level, report.summary) == (level, text)


def test_those_that_are_named_are_looked_at_and_no_others() -> None:
    consumers = {"a": row(state="stuck"), "b": row(), "c": row(backlog=5)}
    unready = {"ready": False, "not_ready": ["consumer a is stuck"]}
    report = judge(consumers, ["c", "b", "c"], hub=unready)
    assert (report.level, report.summary) == (Level.OK, "backlog 550 in 2 consumers")
    assert list(report.consumers) == ["c", "b"]
    report = judge(consumers, ["b", "x", "y"])
    assert (report.level, report.summary) == (Level.UNKNOWN, "no consumer is called x, y; there are: a, b, c")


def test_the_worst_comes_first_and_all_are_listed() -> None:
    consumers = {name: row(state="paused") for name in "abcd"} | {"e": row(state="stuck")}
    report = judge(consumers)
    assert report.level == Level.CRITICAL
    assert report.summary == "e: stuck; a: paused; b: paused; 2 more"
    assert report.details[:5] == ["CRITICAL: e: stuck", *(f"WARNING: {name}: paused" for name in "abcd")]


def test_a_hub_without_consumers_is_ok() -> None:
    status = {"hub": {"state": "running", "store": {"state": "ok"}}, "consumers": {}}
    assert check(status, (), Limits(), NOW).text() == "HUBBUB OK - backlog 0 in 0 consumers"


def test_the_performance_data_can_be_parsed_whatever_the_name() -> None:
    limits = Limits(Limit(Range.parse("@5:10"), Range.parse("~:10.5")), above(0.5), above(), above(3))
    report = judge({"a-b.c_d": row(oldest_age=0.0123456), "it's=": row(catch_up_seconds=None)}, limits=limits)
    assert [data for data in report.perfdata if not PERFDATA.fullmatch(data.replace("''", ""))] == []
    assert report.perfdata[0] == "'a-b.c_d backlog'=545;@5:10;~:10.5;0"
    assert report.perfdata[1] == "'a-b.c_d age'=0.012s;0.5;;0"
    assert report.perfdata[4] == "'it''s_ backlog'=545;@5:10;~:10.5;0"


def test_a_line_is_a_line_of_bounded_length() -> None:
    text = Report(Level.UNKNOWN, "a\nb|c\x1b[31m" + "x" * 1000, ["d\n|"]).text()
    assert text.startswith(r"HUBBUB UNKNOWN - a\nb/c\x1b[31mxxx")
    assert (len(text.splitlines()), "|" in text, "\x1b" in text) == (2, False, False)
    assert len(text) < LONGEST_LINE + 50


def test_the_document_says_the_same() -> None:
    document = json.loads(json.dumps(judge({"archive": row(state="paused")}).document()))
    assert (document["state"], document["code"]) == ("WARNING", 1)
    assert document["findings"] == [{"level": "WARNING", "text": "archive: paused", "consumer": "archive"}]
    assert document["consumers"]["archive"] == {"state": "paused", "backlog": 545, "age": 90.0, "catch_up": 200.0}


def test_a_check_loads_neither_the_catalogue_nor_other_commands() -> None:
    """A monitoring system runs it every minute, for each hub."""
    script = "import sys; import hub.cli.backlog.check_backlog; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    unused = {"hub.cli.queue", "hub.stats.condition", "hub.status.catalogue", "hub.status.consumers", "msgspec"}
    assert not unused & set(done.stdout.split())
