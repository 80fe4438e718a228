"""What waits for the disk, and when it is too much."""

from __future__ import annotations

from pathlib import Path

from hub.store import OVERHEAD, RoutedBatch
from hub.store.pending import Pending
from tests.unit.doubles import message, messages
from tests.unit.store.bench import Bench


def batch(size: int) -> RoutedBatch:
    return RoutedBatch([message(0, body=b"x" * (size - OVERHEAD))], [])


def test_they_leave_in_the_order_of_their_arrival() -> None:
    pending, batches = Pending(10_000), [batch(300), batch(400), batch(500)]
    for one in batches:
        pending.append(one, None)
    assert (len(pending), pending.size) == (3, 1200)
    pending.drop(2)
    assert pending.all() == [(batches[2], None)]
    assert pending.size == 500


def test_too_many_is_said_once_and_few_once_half_of_them_are_gone() -> None:
    pending = Pending(1000)
    assert [pending.append(batch(400), None) for _ in range(4)] == [False, False, True, False]
    assert pending.swamped
    assert [pending.drop(1) for _ in range(4)] == [False, False, True, False]
    assert not pending.swamped
    assert [pending.append(batch(600), None) for _ in range(2)] == [False, True]


def test_a_store_says_how_many_batches_are_not_committed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.queue()
    for _ in range(3):
        bench.deliver(messages(2))
    assert bench.store.pending() == bench.store.status()["pending"] == 3
    bench.step()
    assert bench.store.pending() == 0
    bench.store.close()
