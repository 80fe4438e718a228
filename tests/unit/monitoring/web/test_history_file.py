"""The history on the disk."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from hub.monitoring.web.history import Row
from hub.monitoring.web.history_file import Damaged, HistoryFile
from hub.monitoring.web.ring import TIERS
from hub.monitoring.web.spikes import MOST, Spike

NUMBERS = (1.0, 5.0, 5.0, 1.0, 2.0, 3.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


def rows(step: int, buckets: range) -> list[Row]:
    return [Row(step, bucket, {"c": NUMBERS, "a/é": NUMBERS}) for bucket in buckets]


def test_what_is_saved_is_loaded_the_oldest_first(path: Path) -> None:
    file = HistoryFile(path)
    spikes = [("c", Spike(2.0, 545, 3.0)), ("c", Spike(1.0, 100, 1.0, 1.5))]
    file.save(rows(10, range(5, 7)) + rows(1, range(3)), spikes)
    file.close()
    kept = HistoryFile(path).load()
    assert kept.rows == rows(1, range(3)) + rows(10, range(5, 7))
    assert kept.spikes == spikes[::-1]


def test_it_is_for_the_hubs_eyes(path: Path) -> None:
    file = HistoryFile(path)
    file.save(rows(1, range(1)), [])
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}
    file.close()


def test_what_is_saved_again_takes_its_own_place(path: Path) -> None:
    file = HistoryFile(path)
    for peak, cleared_at in ((100, None), (200, 9.0)):
        file.save([Row(1, 7, {"c": (*NUMBERS[:5], float(peak))})], [("c", Spike(1.0, peak, 2.0, cleared_at))])
    kept = file.load()
    assert kept.rows == [Row(1, 7, {"c": (*NUMBERS[:5], 200.0)})]
    assert kept.spikes == [("c", Spike(1.0, 200, 2.0, 9.0))]


def test_the_oldest_rows_of_a_step_go_for_new_ones(path: Path) -> None:
    file, length = HistoryFile(path), TIERS[0].length
    file.save(rows(1, range(length)) + rows(10, range(3)), [])
    file.save(rows(1, range(length, length + 50)), [])
    kept = file.load().rows
    assert [row.bucket for row in kept if row.step == 1] == list(range(50, length + 50))
    assert len([row for row in kept if row.step == 10]) == 3


def test_a_row_of_a_far_future_does_not_take_the_others_with_it(path: Path) -> None:
    file = HistoryFile(path)
    file.save(rows(1, range(100)), [])
    file.save(rows(1, range(10**9, 10**9 + 1)), [])
    assert len(file.load().rows) == 101


def test_spikes_are_bounded(path: Path) -> None:
    file = HistoryFile(path)
    file.save([], [("c", Spike(float(number), 100, 1.0)) for number in range(MOST + 20)])
    file.save([], [("d", Spike(0.0, 100, 1.0))])
    kept = file.load().spikes
    assert [spike.started_at for name, spike in kept if name == "c"] == [
        float(number) for number in range(20, MOST + 20)
    ]
    assert len(kept) == MOST + 1


@pytest.mark.parametrize("content", [b"this is no database\n" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_noticed_and_can_be_set_aside(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    file = HistoryFile(path)
    with pytest.raises(Damaged):
        file.load()
    assert file.set_aside().read_bytes() == content
    file.save(rows(1, range(1)), [])
    assert file.load().rows == rows(1, range(1))


def test_a_page_that_was_torn_is_noticed(path: Path) -> None:
    file = HistoryFile(path)
    file.save(rows(1, range(500)), [])
    file.close()
    content = bytearray(path.read_bytes())
    content[4096:-4096] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(Damaged):
        file.load()


@pytest.mark.parametrize(
    "change",
    [
        "PRAGMA user_version = 99",
        "UPDATE buckets SET queues = 'not JSON'",
        "UPDATE buckets SET queues = '{\"c\": [1, 2]}'",
        "DROP TABLE spikes; CREATE TABLE spikes (other TEXT)",
        "UPDATE spikes SET peak = 'high'",
    ],
)
def test_a_file_with_something_else_in_it_is_noticed(path: Path, change: str) -> None:
    file = HistoryFile(path)
    file.save(rows(1, range(1)), [("c", Spike(1.0, 5, 1.0))])
    file.close()
    other = sqlite3.connect(path)
    other.executescript(change)
    other.close()
    with pytest.raises(Damaged):
        file.load()


def test_a_place_where_none_can_be_is_the_disks_fault(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        HistoryFile(tmp_path / "nowhere" / "history.db").load()
    with pytest.raises(OSError, match="directory"):
        HistoryFile(tmp_path).save([], [])


def test_a_file_that_somebody_keeps_to_himself_is_the_disks_fault(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.monitoring.web.history_file.TIMEOUT", 0.01)
    file = HistoryFile(path)
    file.save(rows(1, range(1)), [])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(OSError, match="locked"):
        file.save(rows(1, range(1, 2)), [])
    other.close()
    file.save(rows(1, range(1, 2)), [])
    assert len(file.load().rows) == 2
