"""Who did what."""

from __future__ import annotations

import json
import logging
import stat
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.control import audit
from hub.control.audit import LONGEST_KIND, MOST_KINDS, PERIOD, Audit


class Order(msgspec.Struct):
    consumer: str
    numbers: list[int] = []
    body: msgspec.Raw = msgspec.Raw(b"")
    until: float | None = None


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_action_is_a_line_with_who_what_and_when(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    made = Audit(path, lambda: 99.5)
    made.note("ann", "pause", Order("c", [1, 2]), "done")
    made.note("bob", "resume", Order("c"), "refused: no")
    assert entries(path)[0] == {
        "time": 99.5,
        "who": "ann",
        "action": "pause",
        "order": {"consumer": "c", "numbers": [1, 2], "body": "0 bytes"},
        "outcome": "done",
    }
    assert [entry["who"] for entry in entries(path)] == ["ann", "bob"]


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    Audit(tmp_path / "audit.log", lambda: 0.0).note("ann", "pause", Order("c"), "done")
    assert stat.S_IMODE((tmp_path / "audit.log").stat().st_mode) == 0o600


def test_bodies_are_not_written_down_and_long_values_are_cut(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    order = Order("c" * 10_000, list(range(1000)), msgspec.Raw(b'"a secret"'))
    Audit(path, lambda: 0.0).note("ann", "publish", order, "done")
    text = path.read_text()
    assert "secret" not in text
    assert entries(path)[0]["order"]["body"] == "10 bytes"
    assert len(text) < 1000


def test_a_reason_that_quotes_what_was_asked_for_is_cut_and_can_be_told(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    made = Audit(path, lambda: 0.0)
    made.note("ann", "pause", Order("c"), "refused: " + "x" * 100_000)
    made.note("ann", "pause", Order("c"), "refused: \udcff")
    assert len(entries(path)[0]["outcome"]) == audit.LONGEST_OUTCOME
    assert entries(path)[1]["outcome"] == "refused: \\udcff"


def test_a_name_with_a_line_break_can_not_forge_a_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Audit(tmp_path / "audit.log", lambda: 0.0).note("ann", "pause", Order('c\n{"who":"root"}'), "refused: \x1b[31m\n")
    assert len(entries(tmp_path / "audit.log")) == 1
    (line,) = caplog.messages
    assert "\n" not in line
    assert "\x1b" not in line


def test_a_file_that_has_grown_too_long_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "LIMIT", 300)
    made = Audit(tmp_path / "audit.log", lambda: 0.0)
    for number in range(20):
        made.note("ann", "pause", Order(str(number)), "done")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files in (["audit.log.1"], ["audit.log", "audit.log.1"])
    assert all(path.stat().st_size < 600 for path in tmp_path.iterdir())


def test_one_that_can_not_be_written_is_logged_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Audit(tmp_path / "missing" / "audit.log", lambda: 0.0).note("ann", "pause", Order("c"), "done")
    assert "pause" in caplog.messages[0]
    assert "can't be written" in caplog.messages[1]


def test_without_a_file_there_is_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    Audit(None, lambda: 0.0).note("ann", "drain", Order("c"), "done")
    assert caplog.messages == ['drain {"consumer":"c","numbers":[],"body":"0 bytes"} by ann: done']


class Desk:
    """An audit log on a clock that a test steps."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 0.0
        self.audit = Audit(path, lambda: 99.5, lambda: self.now)

    def told(self) -> list[tuple[str, str, str]]:
        return [(entry["who"], entry["action"], entry["outcome"]) for entry in entries(self.path)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "audit.log")


def test_of_many_refusals_alike_the_first_is_told_at_once_and_the_number_of_the_others_later(desk: Desk) -> None:
    for _ in range(1000):
        desk.audit.refused("192.0.2.7", "pause", "no token")
    first = [("192.0.2.7", "pause", "refused: no token")]
    assert desk.told() == first
    desk.now = PERIOD
    desk.audit.flush()
    desk.audit.flush()
    assert desk.told() == [*first, ("192.0.2.7", "pause", "refused 999 times more: no token")]
    desk.audit.refused("192.0.2.7", "pause", "no token")
    desk.now = 2 * PERIOD
    desk.audit.flush()
    assert desk.told()[2:] == first


def test_one_that_comes_when_the_time_is_over_is_written_after_the_number(desk: Desk) -> None:
    for _ in range(3):
        desk.audit.refused("192.0.2.7", "pause", "no token")
    desk.now = PERIOD
    desk.audit.refused("192.0.2.7", "pause", "no token")
    assert [outcome for *_, outcome in desk.told()] == [
        "refused: no token",
        "refused 2 times more: no token",
        "refused: no token",
    ]


def test_reasons_that_begin_alike_are_one_kind_and_the_last_is_told(desk: Desk) -> None:
    for end in "abc":
        desk.audit.refused("192.0.2.7", "pause", "x" * LONGEST_KIND + end)
    desk.audit.flush(final=True)
    first, second = desk.told()
    assert first[2].endswith("xa")
    assert second[2].startswith("refused 2 times more: x")
    assert second[2].endswith("xc")


def test_what_is_not_told_is_told_at_the_end(desk: Desk) -> None:
    for _ in range(2):
        desk.audit.refused("192.0.2.7", "pause", "no token")
    desk.audit.flush(final=True)
    assert desk.told()[1:] == [("192.0.2.7", "pause", "refused 1 times more: no token")]


def test_who_claims_another_address_each_time_does_not_fill_the_file(desk: Desk) -> None:
    for number in range(10_000):
        desk.audit.refused(f"127.0.0.1 for 192.0.2.{number}", "drain", "no token")
    desk.audit.note("ann", "pause", Order("c"), "done")
    assert len(desk.told()) == MOST_KINDS + 2
    desk.audit.flush(final=True)
    assert desk.told()[-2:] == [
        ("ann", "pause", "done"),
        ("others", "drain", f"refused {10_000 - MOST_KINDS - 1} times more: no token"),
    ]


def test_reads_of_one_kind_are_a_line_and_a_number(desk: Desk) -> None:
    for _ in range(1000):
        desk.audit.read("token from 192.0.2.7", "status")
    desk.audit.read("ann, pid 5", "dead")
    assert desk.told() == [("token from 192.0.2.7", "status", "read"), ("ann, pid 5", "dead", "read")]
    desk.audit.flush(final=True)
    assert desk.told()[-1] == ("token from 192.0.2.7", "status", "read 999 times more")
