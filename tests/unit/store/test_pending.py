"""What waits for the disk, and when it is too much."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.deadletter import DeadLetter
from hub.store import OVERHEAD, Outgoing, RoutedBatch
from hub.store import records as r
from hub.store.ledger import Burden
from hub.store.letters import size_of
from hub.store.pending import Pending
from tests.unit.doubles import message, messages
from tests.unit.store.bench import Bench


def batch(size: int) -> RoutedBatch:
    return RoutedBatch([message(0, body=b"x" * (size - OVERHEAD))], [])


@pytest.mark.parametrize("headers", [{}, {"x": "y" * 60_000}, {f"name{number}": "value" * 9 for number in range(999)}])
def test_the_size_of_a_batch_is_about_that_of_its_page(headers: dict[str, str]) -> None:
    """It is what the room on the disk is reserved by: never too little, and not many times as much."""
    batch = RoutedBatch(
        [message(number, "org.example.topic", b"x" * 100, **headers, n=str(number)) for number in range(50)], []
    )
    written = len(bytes(r.seal(r.PAGE, r.Page.of(1, 0.0, batch.messages, []))))
    assert written <= batch.size <= 4 * written
    outgoing, letter = Outgoing("bus", batch.messages[0]), DeadLetter(batch.messages[0], "reason", 1, 0.0)
    row = len(bytes(r.seal(r.OUTGOING, r.OutgoingRecord(1, "bus", r.flat(batch.messages[0])))))
    assert row <= Burden(0, 1, 0, [], [outgoing]).size <= 400 + 4 * row
    assert len(bytes(r.seal(r.LETTER, r.LetterRecord.of(1, 1, letter)))) <= size_of(letter)


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
