"""The log of a store: what every store promises. A new one joins in tests/contracts/stores.py."""

from __future__ import annotations

import threading

from hub.store import RoutedBatch, Store
from tests.contracts.stores import Books, batch
from tests.support import wait_until
from tests.unit.doubles import messages


def test_a_batch_that_was_appended_is_confirmed_once_and_in_order(store: Store, books: Books) -> None:
    confirmed: list[int] = []
    for number in range(5):
        store.append(batch(books, number * 2, 2), lambda number=number: confirmed.append(number))  # type: ignore[misc]
    wait_until(lambda: len(confirmed) == 5)
    assert store.flush(10)
    assert confirmed == [0, 1, 2, 3, 4]


def test_what_is_safe_is_not_pending(store: Store, books: Books) -> None:
    assert store.pending() == 0
    store.append(batch(books, 0, 3), None)
    assert store.flush(10)
    assert store.pending() == 0


def test_a_batch_that_nobody_wants_is_confirmed_too(store: Store) -> None:
    confirmed = threading.Event()
    store.append(RoutedBatch(messages(1), []), confirmed.set)
    assert confirmed.wait(10)


def test_a_batch_that_nobody_waits_for_needs_no_confirmation(store: Store, books: Books) -> None:
    store.append(batch(books, 0, 3), None)
    assert store.flush(10)


def test_a_flush_waits_for_what_was_appended(store: Store, books: Books) -> None:
    confirmed: list[bool] = []
    store.append(batch(books, 0, 3), lambda: confirmed.append(True))
    assert store.flush(10)
    assert confirmed == [True]
