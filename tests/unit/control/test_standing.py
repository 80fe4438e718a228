"""Orders that outlive the hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.control.standing import STANDING_FILE, StandingOrders


def test_nobody_is_paused_at_first(tmp_path: Path) -> None:
    orders = StandingOrders(tmp_path / STANDING_FILE)
    assert not orders.paused("c")
    assert not orders.draining("c")
    assert not orders.hub_draining


def test_what_was_ordered_is_known_after_a_restart(tmp_path: Path) -> None:
    orders = StandingOrders(tmp_path / STANDING_FILE)
    orders.pause("c", None)
    orders.pause("d", 99.5)
    orders.drain("e")
    orders.drain("e")
    orders.drain_hub(True)
    again = StandingOrders(tmp_path / STANDING_FILE)
    assert (again.paused("c"), again.until("c")) == (True, None)
    assert (again.paused("d"), again.until("d")) == (True, 99.5)
    assert (again.draining("e"), again.hub_draining) == (True, True)
    again.resume("e")
    assert not StandingOrders(tmp_path / STANDING_FILE).draining("e")


def test_a_pause_is_over_when_its_time_has_come(tmp_path: Path) -> None:
    orders = StandingOrders(None)
    orders.pause("c", 10.0)
    orders.pause("d", None)
    assert orders.over(9.9) == []
    assert orders.over(10.0) == ["c"]
    orders.resume("c")
    assert orders.over(10.0) == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"paused": 3}', b"\xff"])
def test_a_file_that_makes_no_sense_is_reported_and_everybody_is_paused_until_resumed(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / STANDING_FILE).write_bytes(content)
    orders = StandingOrders(tmp_path / STANDING_FILE, ["c", "d"])
    assert [orders.paused(name) for name in ("c", "d", "new")] == [True, True, False]
    assert "could not be read" in caplog.text
    assert (tmp_path / f"{STANDING_FILE}.damaged").read_bytes() == content
    orders.resume("c")
    again = StandingOrders(tmp_path / STANDING_FILE, ["c", "d"])
    assert [again.paused(name) for name in ("c", "d")] == [False, True]


def test_one_that_can_not_be_read_pauses_everybody_at_each_start(tmp_path: Path) -> None:
    (tmp_path / STANDING_FILE).mkdir()  # stands for a file that nobody may read: root may read any
    for _ in range(2):
        assert StandingOrders(tmp_path / STANDING_FILE, ["c"]).paused("c")


def test_one_that_can_not_be_written_holds_as_long_as_the_hub_runs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    orders = StandingOrders(tmp_path / "missing" / STANDING_FILE)
    orders.pause("c", None)
    assert orders.paused("c")
    assert "is forgotten when the hub ends" in caplog.text


def test_what_is_called_otherwise_is_paused_or_drained_as_before(tmp_path: Path) -> None:
    orders = StandingOrders(tmp_path / STANDING_FILE)
    orders.pause("old", 99.5)
    orders.drain("new")
    orders.drain("other")
    orders.rename("old", "new")
    orders.rename("nobody", "new")
    orders.rename("other", "another")
    again = StandingOrders(tmp_path / STANDING_FILE)
    assert (again.until("new"), again.draining("new"), again.draining("another")) == (99.5, False, True)
    assert not again.paused("old")
    assert not again.draining("other")


def test_who_is_paused_and_drained_in_an_older_file_is_paused_and_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / STANDING_FILE).write_bytes(b'{"paused": {"c": 9.5}, "draining": ["c", "d"]}')
    orders = StandingOrders(tmp_path / STANDING_FILE)
    assert (orders.until("c"), orders.draining("c"), orders.draining("d")) == (9.5, False, True)
    (line,) = caplog.messages
    assert line.startswith("consumer c was ordered to be paused and drained")
