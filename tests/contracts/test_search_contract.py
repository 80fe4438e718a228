"""What every store promises to who looks for one message."""

from __future__ import annotations

import time

from hub.store import Store
from tests.contracts.stores import Books, batch


def found(store: Store, id_: str, since: float = 0.0) -> list[tuple[str, int]]:
    """Where it is, as far as the store knows."""
    return sorted({place for step, _ in store.find(id_, since) for one in step for place in one.places})


def test_a_message_is_found_by_its_id_if_the_store_keeps_messages(store: Store, books: Books) -> None:
    store.append(batch(books, 0, 3), None)
    store.append(batch(books, 3, 3), None)
    assert store.flush(10)
    assert found(store, "1") == ([("q", 1), ("q", 4)] if store.durable else [])


def test_what_is_not_there_is_not_found(store: Store, books: Books) -> None:
    store.append(batch(books, 0, 3), None)
    assert store.flush(10)
    assert [step for step, _ in store.find("none", 0.0) if step] == []
    assert [step for step in store.find_letters("none") if step] == []


def test_dead_letters_are_found_by_their_id_with_their_queue(store: Store) -> None:
    one, two = Books(store, "one"), Books(store, "two")
    one.bury(1, 2)
    two.bury(2, 2)
    assert store.flush(10)
    letters = [letter for step in store.find_letters("2") for letter in step]
    assert sorted((queue, kept.reason) for queue, kept in letters) == [("one", "reason 2"), *[("two", "reason 2")] * 2]
    assert all(kept.number for _, kept in letters)


def test_a_queue_was_made_when_it_was_opened_first(store: Store, books: Books) -> None:
    made = store.created_at("q")
    assert abs(time.time() - made) < 60
    store.open("q")
    assert store.created_at("q") == made
