"""What one commit takes: bounded, in order, and always something."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.deadletter import DeadLetter
from hub.store import Journal, RoutedBatch, Tie
from hub.store.ledger import Ledger
from hub.store.portion import Portion
from hub.store.queue_key import QueueKey
from tests.unit.doubles import message

SIZES = st.lists(st.integers(0, 3000), max_size=12)


def waiting(sizes: list[int]) -> list[tuple[RoutedBatch, None]]:
    return [(RoutedBatch([message(number, body=b"x" * size)], []), None) for number, size in enumerate(sizes)]


def burdened(sizes: list[int]) -> Ledger:
    ledger = Ledger(1, QueueKey("", "q"), 0.0)
    letters = [DeadLetter(message(number, body=b"x" * size), "no", 1, 0.0) for number, size in enumerate(sizes)]
    ledger.absorb(Journal(letters=letters, ties=[Tie(at, at + 1, 1, 0) for at in range(len(sizes))]), hold=True)
    return ledger


@given(SIZES, SIZES)
def test_each_half_is_smaller_until_a_single_part_is_left(batches: list[int], letters: list[int]) -> None:
    ledger, items, limit = burdened(letters), waiting(batches), 1 << 40
    portion = Portion.of(items, [ledger], limit)
    assert (portion.all, portion.parts) == (True, len(batches) + len(letters))
    while portion.parts > 1:
        limit = portion.half()
        portion = Portion.of(items, [ledger], limit)
        assert portion.parts == 1 or 0 < portion.half() < limit  # of smaller parts there may be more


@given(SIZES, SIZES, st.integers(0, 1 << 14))
def test_all_is_taken_in_order_one_portion_after_the_other(batches: list[int], letters: list[int], limit: int) -> None:
    ledger, items = burdened(letters), waiting(batches)
    taken: list[RoutedBatch] = []
    while not (portion := Portion.of(items, [ledger], limit)).all or portion.parts:
        assert portion.parts
        taken += [batch for batch, _ in portion.batches]
        del items[: len(portion.batches)]
        portion.admit()
    assert [len(batch.messages[0].body) for batch in taken] == batches
    assert [len(letter.message.body) for letter in ledger.letters.values()] == letters


def test_what_failed_is_held_again() -> None:
    ledger = burdened([10, 20])
    portion = Portion.of([], [ledger], 1 << 20)
    portion.admit()
    assert (ledger.window.floor, len(ledger.letters)) == (2, 2)
    portion.retract()
    assert (ledger.window.floor, len(ledger.letters), len(ledger.held)) == (0, 0, 2)
