"""PostgreSQL's snapshots, and which rows are behind a frontier."""

from __future__ import annotations

import pytest

from hub.jobs.postgresql.frontiers import Frontier, claimed
from hub.jobs.postgresql.snapshots import DatabaseSnapshot


@pytest.mark.parametrize("text", ["10:20:", "10:20:10,14,15", "1:1:"])
def test_a_snapshot_is_read_and_written(text: str) -> None:
    assert str(DatabaseSnapshot.parse(text)) == text


def test_a_snapshot_sees_what_has_ended() -> None:
    snapshot = DatabaseSnapshot.parse("10:20:10,14")
    assert [xid for xid in range(8, 22) if not snapshot.sees(xid)] == [10, 14, 20, 21]


def test_ones_own_transaction_still_runs() -> None:
    snapshot = DatabaseSnapshot.parse("10:20:10,14")
    assert str(snapshot.without(12)) == "10:20:10,12,14"
    assert str(snapshot.without(5)) == "5:20:5,10,14"
    assert snapshot.without(20) is snapshot
    assert snapshot.without(14) is snapshot


def test_what_is_behind_a_position_is_claimed() -> None:
    at = Frontier(1, 1, DatabaseSnapshot.parse("5:10:5,7"), DatabaseSnapshot.parse("7:20:7"), 12, 100)
    assert claimed(at, 6, 900)  # visible in prev
    assert claimed(at, 5, 900)  # late, before the cursor
    assert not claimed(at, 7, 1)  # still runs
    assert claimed(at, 12, 100)
    assert not claimed(at, 12, 101)
    assert not claimed(at, 20, 1)
    assert not claimed(at.opened(DatabaseSnapshot.parse("30:30:")), 20, 1)
    assert claimed(at.opened(DatabaseSnapshot.parse("30:30:")), 15, 1)
