"""The pure parts of ``hubbub top``, and what it prints where nobody looks at a screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.cli.remote import Remote
from hub.cli.top.columns import BY_KEY, Line, Sorting
from hub.cli.top.header import summary
from hub.cli.top.history import BacklogHistory, sparkline
from hub.cli.top.letters import grouped
from hub.cli.top.plain import print_json, print_table
from hub.cli.top.preferences import Preferences, place
from hub.errors import Unavailable
from tests.unit.cli.top.hub_double import HubDouble, letter, row, status


def names(sorting: Sorting, rows: dict[str, Any]) -> str:
    return "".join(line.name for line in sorting.order([Line(name, row, (), 0.0) for name, row in rows.items()]))


@pytest.mark.parametrize(
    ("values", "width", "shown"),
    [
        ((), 3, "   "),
        ((0, 0), 3, "   "),
        ((0, 1), 3, "  █"),
        ((1, 100), 4, "  ▁█"),
        ((4, 8, 8, 4), 2, "██"),
        ((1, 0, 0, 0, 0, 8), 3, "▂ █"),
    ],
)
def test_a_sparkline(values: tuple[int, ...], width: int, shown: str) -> None:
    assert sparkline(values, width) == shown


def test_the_history_is_bounded_and_forgets_who_is_gone() -> None:
    history = BacklogHistory(100.0)
    for backlog in range(9):
        history.note({"a": {"backlog": backlog}, **({"b": {"backlog": 1}} if backlog < 8 else {})})
    assert (history.backlogs("a"), history.backlogs("b"), history.backlogs("c")) == ((6, 7, 8), (), ())


def test_what_is_not_known_comes_last_either_way() -> None:
    rows = {"a": row(oldest_age=None), "b": row(oldest_age=1.0), "c": row(oldest_age=9.0)}
    assert names(Sorting("oldest"), rows) == "cba"
    assert names(Sorting("oldest", reverse=True), rows) == "bca"


def test_who_falls_behind_is_caught_up_last() -> None:
    behind = row(trend="falling_behind", catch_up_seconds=None, rate_in=9.0, rate_out=1.0, backlog=9)
    rows = {"a": row(catch_up_seconds=5.0), "b": behind, "c": row(trend="unknown", catch_up_seconds=None)}
    assert names(Sorting("caught_up"), rows) == "bac"
    assert str(BY_KEY["caught_up"].cell(Line("b", behind, (), 0.0))) == "falling behind by 8.0/s"


def test_the_sorting_goes_round_and_marks_its_column() -> None:
    sorting = Sorting()
    for _ in BY_KEY:
        sorting = sorting.next()
    assert sorting == Sorting()
    assert sorting.heading(BY_KEY["backlog"]) == "backlog ▼"
    assert sorting.chosen("backlog").heading(BY_KEY["backlog"]) == "backlog ▲"
    assert sorting.heading(BY_KEY["consumer"]) == "consumer"


@pytest.mark.parametrize("content", [b"", b"{", b'{"key": "nothing"}', b'{"key": 5}', b"\xff"])
def test_a_bad_memory_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "top.json").write_bytes(content)
    assert Preferences(tmp_path / "top.json").sorting() == Sorting()
    (tmp_path / "file").touch()
    Preferences(tmp_path / "file" / "below").keep(Sorting("dead"))
    Preferences(tmp_path / "top.json").keep(Sorting("dead"))
    assert Preferences(tmp_path / "top.json").sorting() == Sorting("dead")
    assert place({"HOME": "/h"}) == Path("/h/.local/state/hubbub/top.json")


def test_the_header_names_all_that_is_wrong() -> None:
    found = status()
    found["hub"].update(draining=True, ready=False, not_ready=["a", "b\n"], lag=None)
    found["hub"]["store"].update(state="full", reason="no \x1b[0m space")
    text = str(summary(found))
    for line in ("its buses are held back", "the store is full: no \\x1b[0m space", "not ready: a; b\\n"):
        assert line in text


def test_a_hub_whose_memory_nobody_knows_has_a_header_all_the_same() -> None:
    found = status()
    found["hub"]["resident_bytes"] = None
    assert "pid 4711, stored" in str(summary(found)).replace(f"pid {found['hub']['pid']}", "pid 4711")


def test_letters_that_died_of_the_same_are_one_group() -> None:
    letters = [letter(1, reason="x" * 200), letter(2), letter(3), letter(4, error="KeyError")]
    groups = grouped(letters)
    assert [group.numbers for group in groups] == [[2, 3], [1], [4]]
    assert str(groups[1].cells()[4]) == "x" * 100 + "…"


def test_once_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(status(slow=row(), **{"[/x]\x1b": row(backlog=0, in_flight=0)}), 0.0)
    out = capsys.readouterr().out
    assert [line.split()[:3] for line in out.splitlines()[-2:]] == [
        ["slow", "running", "545"],
        ["[/x]\\x1b", "running", "0"],
    ]
    assert "last minutes" not in out


def test_json_is_a_line_each_time_also_while_no_hub_answers(capsys: pytest.CaptureFixture[str]) -> None:
    hub = HubDouble(slow=row())
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            raise KeyboardInterrupt
        hub.away()

    with pytest.raises(KeyboardInterrupt):
        print_json(Remote(hub), 2.5, False, wait)
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["consumers"]["slow"]["backlog"] == 545
    assert (second, waited) == ({"problems": ["no hub is running: \x1b[31mred[/]"]}, [2.5, 2.5])
    with pytest.raises(Unavailable):
        print_json(Remote(hub), 2.5, True)
