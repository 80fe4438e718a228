"""``hubbub status``, as text: at each width the promise first, and what is wrong above it."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from hub.cli import status
from hub.cli.top.columns import COLUMNS, PRIORITY, Line, fitting
from hub.cli.top.plain import table_of
from tests.unit.cli.test_steering_cli import hub, run
from tests.unit.cli.top.hub_double import HubDouble, row
from tests.unit.command import Run

__all__ = ["hub", "run"]

BEHIND: dict[str, Any] = {"backlog": 5450, "catch_up_seconds": 38_000.0, "dead_letters": 66, "dropped": 7}


def shown(rows: dict[str, dict[str, Any]], width: int) -> list[str]:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(table_of(status.COLUMNS, [Line(name, one, (), 0.0) for name, one in rows.items()], width))
    return capture.get().splitlines()


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        (60, ["consumer", "state", "backlog", "caught up"]),
        (80, ["consumer", "state", "backlog", "oldest", "caught up", "dead"]),
    ],
)
def test_a_narrow_terminal_has_what_matters_on_one_line_each(width: int, headings: list[str]) -> None:
    lines = shown({"archive": row(**BEHIND), "slow": row(state="failing to start")}, width)
    assert len(lines) == 3
    assert "…" not in "".join(lines)
    assert [lines[0].count(heading) for heading in headings] == [1] * len(headings)
    assert "in 10h 33m" in lines[1]


def test_a_wide_one_has_all_of_it_each_under_its_heading() -> None:
    rows = {"c": row(backlog=11, in_flight=12, failed=13, dead_letters=14, dropped=15, delayed=16, dead=99)}
    heading, line = shown(rows, 160)
    for name, number in (("backlog", "11"), ("in flight", "12"), ("failed", "13"), ("dead", "14"), ("delayed", "16")):
        assert line[: heading.index(name) + len(name)].endswith(number)
    assert line.rstrip().endswith("15")
    assert "99" not in line


def test_the_most_important_columns_are_there_whatever_the_room() -> None:
    widths = {column.key: 30 for column in COLUMNS}
    assert [column.key for column in fitting(COLUMNS, widths, 0)] == ["consumer", "backlog", "caught_up"]
    assert [column.key for column in fitting(COLUMNS, widths, 120, "p99")][-1] == "p99"
    assert {column.key for column in (*COLUMNS, *status.COLUMNS)} == set(PRIORITY)


def test_all_that_is_wrong_is_said(run: Run, hub: HubDouble) -> None:
    found = hub.answers["/status"]
    found["hub"].update(ready=False, not_ready=["consumer hang is stuck"], held_back_by="[/] a queue")
    found["backends"]["bus"]["endpoints"] = [
        {"endpoint": "tcp://a:1", "state": "connecting"},
        {"endpoint": "tcp://b:1", "state": "connected"},
    ]
    found["backends"]["odd"] = {"type": "x", "state": "failed", "error": "KeyError: 'x'"}
    found["exporters"] = {"good": {"last_error": None}, "collectd": {"last_error": "OSError: \x1b no route"}}
    found["servers"] = {"web": {"type": "web", "state": "failed", "error": "ValueError"}, "mine": {"type": "m"}}
    found["lamps"] = {
        "one": {"type": "bulb", "state": "failed", "error": "dark"},
        "two": {"type": "bulb", "last_error": "flickers"},
    }
    code, out, _ = run("status")
    assert code == 0
    for line in (
        "lamp one fails: dark",
        "lamp two fails: flickers",
        "not ready: consumer hang is stuck",
        "the buses are held back: [/] a queue",
        "backend bus: no connection to tcp://a:1",
        "backend odd fails: KeyError: 'x'",
        r"exporter collectd fails: OSError: \x1b no route",
        "server web fails: ValueError",
    ):
        assert line in out.splitlines()
    assert "exporter good" not in out


def test_parts_of_a_kind_that_it_does_not_know_are_listed(run: Run, hub: HubDouble) -> None:
    hub.answers["/status"]["lamps"] = {"one": {"type": "bulb", "state": "\x1b lit"}, "two": {"type": "bulb"}}
    hub.answers["/status"]["of_a_later_hub"] = 5
    _, out, _ = run("status")
    assert [line.split() for line in out.splitlines()[-3:]] == [
        ["part", "type", "state"],
        ["lamps.one", "bulb", r"\x1b", "lit"],
        ["lamps.two", "bulb"],
    ]


def test_a_state_from_a_plugin_can_not_forge_the_status(run: Run, hub: HubDouble) -> None:
    bus = {"type": "x", "state": "bad\x1b[31m[/]", "malformed": {"frames": 2}}
    hub.answers["/status"]["backends"] = {"[bold]bus[/]": bus}
    _, out, _ = run("status")
    assert "\x1b[31m" not in out
    assert "[bold]bus[/]" in out
    assert " 2 " in out.splitlines()[-1]


def test_until_when_it_is_paused_is_shown(run: Run, hub: HubDouble) -> None:
    hub.consumers["slow"] = row(state="paused", paused=True, paused_until=4_000_000_000.0, dead=66, dead_letters=65)
    assert "not before 2096-10-02 " in run("status")[1]
    line, _ = run("queue", "list")[1].splitlines()
    assert "545 waiting, 65 dead, the oldest for 12s, paused until 2096-10-02 " in line
    shown = run("queue", "show", "slow")[1]
    assert "state:          paused until 2096-10-02 " in shown
    assert "dead letters:   65\n" in shown


def job_queue(**changes: Any) -> dict[str, Any]:
    known = {"waiting": 0, "delayed": 0, "running": 0, "dead": 0, "oldest_age": None, "paused": False}
    return {**known, **changes}


def test_queues_of_jobs_are_shown_also_without_a_consumer(run: Run, hub: HubDouble) -> None:
    queues = {
        "thumbnails": job_queue(waiting=5450, oldest_age=125.0, running=3, dead=7),
        "\x1b[31mmail": job_queue(delayed=11, paused=True),
    }
    hub.answers["/status"]["jobs"] = {
        "main": {"type": "database", "state": "connected", "queues": queues},
        "empty": {"type": "database", "state": "connecting", "queues": {}},
    }
    code, out, _ = run("status")
    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert [word for line in lines for word in line if word.startswith("jobs.")] == [
        "jobs.main",
        "jobs.empty",
        "jobs.main",
    ]
    assert lines[-3:] == [
        ["queue", "of", "jobs.main", "waiting", "delayed", "running", "dead", "oldest"],
        [r"\x1b[31mmail", "0", "11", "0", "0", "paused"],
        ["thumbnails", "5450", "0", "3", "7", "2m", "5s"],
    ]


def test_of_very_many_queues_of_jobs_the_longest_are_shown(run: Run, hub: HubDouble) -> None:
    queues = {f"q{number:03}": job_queue(waiting=number) for number in range(100)}
    hub.answers["/status"]["jobs"] = {"main": {"type": "database", "state": "connected", "queues": queues}}
    _, out, _ = run("status")
    assert [line.split()[0] for line in out.splitlines()[-41:-1]] == [f"q{number:03}" for number in range(60, 100)]
    assert out.splitlines()[-1] == " and 60 more; 'hubbub job queues' lists all"
