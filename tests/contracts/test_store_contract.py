"""What every store promises. A new store joins by one more entry in STORES."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.deadletter import DeadLetter
from hub.message import Message
from hub.store import RoutedBatch, Store
from hub.store.memory import MemoryStore
from tests.support import wait_until

STORES: dict[str, Callable[[Path], Store]] = {"memory": lambda directory: MemoryStore()}


@pytest.fixture(params=sorted(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


def letter(number: int) -> DeadLetter:
    message = Message(str(number), "a.b", b'{"n": "\xc3\xa9"}', {"header": "value"}, 12.5, "bus")
    return DeadLetter(message, f"reason {number}", number, 99.5, "KeyError", "Traceback ...")


def ids(store: Store, queue: str) -> list[str]:
    return [kept.message.id for kept in store.dead_letters(queue)]


def test_a_batch_that_was_appended_is_confirmed_once(store: Store) -> None:
    confirmed: list[int] = []
    for number in range(5):
        batch = [Message(str(number), "a", b"{}")]
        store.append(RoutedBatch(batch, [("q", batch)]), lambda number=number: confirmed.append(number))  # type: ignore[misc]
    wait_until(lambda: len(confirmed) == 5)
    assert confirmed == [0, 1, 2, 3, 4]


def test_a_batch_that_nobody_wants_is_confirmed_too(store: Store) -> None:
    confirmed = threading.Event()
    store.append(RoutedBatch([Message("1", "a", b"{}")], []), confirmed.set)
    assert confirmed.wait(10)


def test_dead_letters_are_kept_whole_and_in_order(store: Store) -> None:
    for number in range(3):
        store.bury("q", letter(number))
    assert list(store.dead_letters("q")) == [letter(number) for number in range(3)]


def test_each_queue_has_its_own(store: Store) -> None:
    store.bury("one", letter(1))
    store.bury("two", letter(2))
    assert (ids(store, "one"), ids(store, "two"), ids(store, "three")) == (["1"], ["2"], [])


def test_what_is_read_is_a_copy(store: Store) -> None:
    store.bury("q", letter(1))
    read = store.dead_letters("q")
    store.bury("q", letter(2))
    assert len(read) == 1


def test_beyond_the_limit_the_oldest_goes_and_is_counted(store: Store) -> None:
    store.limit_dead_letters("q", 2)
    for number in range(5):
        store.bury("q", letter(number))
    assert ids(store, "q") == ["3", "4"]
    assert store.lost_dead_letters("q") == 3


def test_a_lower_limit_holds_for_what_is_there(store: Store) -> None:
    for number in range(5):
        store.bury("q", letter(number))
    store.limit_dead_letters("q", 2)
    assert (ids(store, "q"), store.lost_dead_letters("q")) == (["3", "4"], 3)


def test_a_higher_limit_loses_nothing(store: Store) -> None:
    store.limit_dead_letters("q", 2)
    for number in range(3):
        store.bury("q", letter(number))
    store.limit_dead_letters("q", 4)
    store.bury("q", letter(3))
    assert (ids(store, "q"), store.lost_dead_letters("q")) == (["1", "2", "3"], 1)


def test_a_limit_of_none_keeps_none_and_counts_all(store: Store) -> None:
    store.limit_dead_letters("q", 0)
    for number in range(3):
        store.bury("q", letter(number))
    assert (ids(store, "q"), store.lost_dead_letters("q")) == ([], 3)


def test_many_threads_may_bury_at_once(store: Store) -> None:
    store.limit_dead_letters("q", 10)

    def bury() -> None:
        for number in range(100):
            store.bury("q", letter(number))

    threads = [threading.Thread(target=bury) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(ids(store, "q")) == 10
    assert store.lost_dead_letters("q") == 390
