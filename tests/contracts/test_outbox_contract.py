"""The outbox of a store: what every store promises. A new one joins in tests/contracts/stores.py."""

from __future__ import annotations

from hub.store import Store
from tests.contracts.stores import Books, letter
from tests.support import wait_until
from tests.unit.doubles import outbox_of


def test_what_is_sent_out_is_told_with_its_numbers(store: Store, books: Books) -> None:
    told: list[tuple[int, str]] = []
    store.watch(
        lambda state, reason: None,
        lambda first, outbox: told.extend((first + at, one.message.id) for at, one in enumerate(outbox)),
    )
    books.post(0, 1)
    assert store.flush(10)
    books.post(2)
    assert store.flush(10)
    numbers = [number for number, _ in told]
    assert [id_ for _, id_ in told] == ["0", "1", "2"]
    assert numbers == sorted(set(numbers))
    for number in numbers:
        store.sent(number)
    assert store.flush(10)
    assert (outbox_of(store), store.outbox_counts()) == ([], ({}, 0))


def test_what_is_buried_and_sent_out_at_once_has_both(store: Store, books: Books) -> None:
    told: list[str] = []
    store.watch(lambda state, reason: None, lambda first, outbox: told.extend(one.message.id for one in outbox))
    with books.lock:
        books.journal.letters.append(letter(1))
    books.post(2)
    assert (books.ids(), told) == (["1"], ["2"])


def test_at_the_start_nothing_is_to_be_sent_out(store: Store) -> None:
    assert (outbox_of(store), store.outbox_counts()) == ([], ({}, 0))


def test_what_was_sent_is_not_to_be_sent_before_the_commit_either(store: Store, books: Books) -> None:
    told: list[int] = []
    store.watch(lambda state, reason: None, lambda first, outbox: told.append(first))
    books.post(1, 2)
    assert store.flush(10)
    wait_until(lambda: bool(told))
    store.sent(told[0])
    assert [number for number, _ in outbox_of(store) if number == told[0]] == []
