"""A disk that does not keep up: what is told of it, and what is not one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.store import RoutedBatch, writer
from hub.store.commit_timer import CommitTimer
from tests.support import wait_until
from tests.unit.store.rig import FullDisk
from tests.unit.store.test_writer import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.store.close()


def crowd(bench: Bench, monkeypatch: pytest.MonkeyPatch, limit: int = 1000) -> None:
    """So that few bytes are too many."""
    monkeypatch.setattr(bench.writer.pending, "_limit", limit)


def test_while_too_much_waits_the_status_says_behind(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(bench, monkeypatch)
    for _ in range(3):
        bench.append(size=300)
    assert (bench.store.status()["state"], bench.store.condition()[0]) == ("behind", "behind")
    assert "does not keep up" in bench.store.status()["reason"]
    assert bench.writer.step()
    assert (bench.heard, bench.store.status()["state"]) == (["behind", "ok"], "ok")


def test_it_is_not_told_behind_when_that_is_over(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer commits all between the moment when there is too much and the one when that is told."""
    crowd(bench, monkeypatch)
    append = bench.writer.pending.append

    def preempted(batch: RoutedBatch, stored: Any) -> bool:
        too_many = append(batch, stored)
        if too_many:
            bench.writer.step()
        return too_many

    monkeypatch.setattr(bench.writer.pending, "append", preempted)
    for _ in range(3):
        bench.append(size=300)
    assert len(bench.writer.pending) == 0
    assert bench.heard[-1] == "ok"


def test_a_full_disk_that_is_also_behind_is_full(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd(bench, monkeypatch)
    bench.append(size=300)
    with FullDisk(bench.store.tables, 9):
        bench.writer.step()
        for _ in range(3):
            bench.append(size=300)
        assert bench.store.condition()[0] == "full"
    heard = list(bench.heard)
    bench.writer.step()
    assert (heard[-1], bench.heard[-1]) == ("full", "ok")


def test_much_that_waits_is_committed_whatever_the_pace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interval of half a minute is no disk that can't keep up."""
    monkeypatch.setattr(writer, "MANY", 1000)
    bench = Bench(tmp_path, threaded=True, timer=CommitTimer(3600.0), hurries=False)
    assert bench.store.flush(10)
    bench.append("a")
    assert bench.writer.pending
    bench.append("b", 1000)
    wait_until(lambda: bench.heard == ["a", "b"])
    assert bench.store.close()
