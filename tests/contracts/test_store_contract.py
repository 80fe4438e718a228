"""A store's queues, and its state: what every store promises. A new one joins in tests/contracts/stores.py."""

from __future__ import annotations

import pytest

from hub.store import CommittedState, Store
from hub.store.queue_key import QueueKey
from tests.contracts.stores import Books


def test_a_new_queue_is_empty(store: Store) -> None:
    assert store.open("new") == CommittedState()


def test_of_a_new_queue_nothing_can_be_read(store: Store) -> None:
    store.open("new")
    assert store.read("new", 0, 10, 1000) == []


def test_a_queue_that_was_attached_is_named(store: Store, books: Books) -> None:
    assert list(store.queues()) == ["q"]


def test_a_queue_that_is_deleted_has_no_dead_letters(store: Store) -> None:
    one, two = Books(store, "one"), Books(store, "two")
    one.bury(1)
    two.bury(2)
    assert store.flush(10)
    store.delete("two")
    assert store.flush(10)
    assert (list(store.queues()), list(store.dead_letters("two"))) == (["one"], [])
    assert one.ids() == ["1"]


def test_a_queue_that_is_renamed_keeps_its_dead_letters_and_its_age(store: Store, books: Books) -> None:
    books.bury(1)
    assert store.flush(10)
    created_at = store.created_at("q")
    store.rename("q", "r")
    assert store.flush(10)
    assert (list(store.queues()), [one.message.id for one in store.dead_letters("r")]) == (["r"], ["1"])
    assert (store.created_at("r"), list(store.dead_letters("q"))) == (created_at, [])
    store.attach("r", books.take_journal)
    books.name = "r"
    books.bury(2)
    assert books.ids() == ["1", "2"]


def test_queues_of_one_name_at_two_sites_are_two(store: Store) -> None:
    here, there = Books(store, "q"), Books(store, "site/q")
    here.bury(1)
    there.bury(2)
    assert (here.ids(), there.ids()) == (["1"], ["2"])
    assert [one.message.id for one in store.dead_letters(QueueKey("site", "q"))] == ["2"]
    assert sorted(store.queues()) == ["q", "site/q"]


def test_a_name_that_can_be_no_queue_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="the name of a queue"):
        store.open("a/b/c")


def test_nothing_is_kept_unless_it_is_asked_for(store: Store, books: Books) -> None:
    assert not store.keeps
    assert list(store.kept(0.0, 1e12, "q")) == []


def test_a_store_that_does_nothing_is_well(store: Store) -> None:
    assert store.flush(10)
    status = store.status()
    assert (status["state"], status["reason"]) == ("ok", None)


def test_a_declaration_is_kept_with_its_queue(store: Store) -> None:
    Books(store, "plain")
    store.declare("q", b"first")
    assert store.declarations() == {"q": b"first"}
    books = Books(store, "q")
    store.declare("q", b"second")
    assert store.flush(10)
    assert store.declarations() == {"q": b"second"}
    store.rename("q", "r")
    assert store.flush(10)
    assert store.declarations() == {"r": b"second"}
    books.name = "r"
    store.delete("r")
    assert store.flush(10)
    assert store.declarations() == {}
    assert list(store.queues()) == ["plain"]
