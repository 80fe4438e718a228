"""Orders that outlive the hub."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.internet.task import Clock

from hub.control.holds import HOLDS_FILE, Holds
from hub.parts.queue_entry import QueueEntry
from tests.unit.doubles import make_queue


def zero() -> float:
    return 0.0


def member(name: str) -> QueueEntry:
    """A consumer's queue, and its rates."""
    return QueueEntry.of(make_queue(zero, name=name), "a callback")


def test_nobody_is_paused_at_first(tmp_path: Path) -> None:
    orders = Holds(tmp_path / HOLDS_FILE, zero)
    assert not orders.paused("c")
    assert not orders.draining("c")
    assert not orders.hub_draining


def test_what_was_ordered_is_known_after_a_restart(tmp_path: Path) -> None:
    orders = Holds(tmp_path / HOLDS_FILE, zero)
    orders.pause(member("c"), None)
    orders.pause(member("d"), 99.5)
    orders.drain(member("e"))
    orders.drain(member("e"))
    orders.drain_hub(True)
    again = Holds(tmp_path / HOLDS_FILE, zero)
    assert (again.paused("c"), again.until("c")) == (True, None)
    assert (again.paused("d"), again.until("d")) == (True, 99.5)
    assert (again.draining("e"), again.hub_draining) == (True, True)
    again.resume(member("e"))
    assert not Holds(tmp_path / HOLDS_FILE, zero).draining("e")


def test_a_pause_is_over_when_its_time_has_come() -> None:
    clock = Clock()
    orders, members = Holds(None, clock.seconds), {name: member(name) for name in "cd"}
    orders.pause(members["c"], 10.0)
    orders.pause(members["d"], None)
    clock.advance(9.9)
    assert orders.end_pauses(members) == []
    clock.advance(0.1)
    assert orders.end_pauses(members) == ["c"]
    assert orders.end_pauses(members) == []
    assert [one.opened.paused for one in members.values()] == [False, True]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"paused": 3}', b"\xff"])
def test_a_file_that_makes_no_sense_is_reported_and_everybody_is_paused_until_resumed(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / HOLDS_FILE).write_bytes(content)
    orders = Holds(tmp_path / HOLDS_FILE, zero, ["c", "d"])
    assert [orders.paused(name) for name in ("c", "d", "new")] == [True, True, False]
    assert "could not be read" in caplog.text
    assert (tmp_path / f"{HOLDS_FILE}.damaged").read_bytes() == content
    orders.resume(member("c"))
    again = Holds(tmp_path / HOLDS_FILE, zero, ["c", "d"])
    assert [again.paused(name) for name in ("c", "d")] == [False, True]


def test_one_that_can_not_be_read_pauses_everybody_at_each_start(tmp_path: Path) -> None:
    (tmp_path / HOLDS_FILE).mkdir()  # stands for a file that nobody may read: root may read any
    for _ in range(2):
        assert Holds(tmp_path / HOLDS_FILE, zero, ["c"]).paused("c")


def test_one_that_can_not_be_written_holds_as_long_as_the_hub_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    orders = Holds(tmp_path / "missing" / HOLDS_FILE, zero)
    orders.pause(member("c"), None)
    assert orders.paused("c")
    assert "will be lost when the hub ends" in caplog.text


def test_what_is_called_otherwise_is_paused_or_drained_as_before(tmp_path: Path) -> None:
    orders = Holds(tmp_path / HOLDS_FILE, zero)
    orders.pause(member("old"), 99.5)
    orders.drain(member("new"))
    orders.drain(member("other"))
    orders.rename("old", "new")
    orders.rename("nobody", "new")
    orders.rename("other", "another")
    again = Holds(tmp_path / HOLDS_FILE, zero)
    assert (again.until("new"), again.draining("new"), again.draining("another")) == (99.5, False, True)
    assert not again.paused("old")
    assert not again.draining("other")


def test_who_is_paused_and_drained_in_an_older_file_is_paused_and_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / HOLDS_FILE).write_bytes(b'{"paused": {"c": 9.5}, "draining": ["c", "d"]}')
    orders = Holds(tmp_path / HOLDS_FILE, zero)
    assert (orders.until("c"), orders.draining("c"), orders.draining("d")) == (9.5, False, True)
    (line,) = caplog.messages
    assert line.startswith("consumer c is both paused and drained in the file")
