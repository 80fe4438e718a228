"""What a store has of one queue, seen by the queue's name alone."""

from __future__ import annotations

from twisted.internet.task import Clock

from hub.queue.stored import StoredQueue
from hub.store.memory import MemoryStore
from tests.unit.doubles import letter_of, make_queue, messages, offer


def buried(store: MemoryStore, name: str, count: int) -> StoredQueue:
    queue = make_queue(Clock().seconds, store=store, name=name)
    offer(queue, messages(count))
    taken = queue.take(count, timeout=0)
    assert taken is not None
    while taken.left:
        queue.bury(taken, True, letter_of(taken))
    return queue.stored


def test_it_has_the_dead_letters_of_its_queue_alone() -> None:
    store = MemoryStore()
    one, two = buried(store, "one", 3), buried(store, "two", 1)
    numbers = [letter.number for letter in one.dead_letters()]
    assert (one.kept_letters, two.kept_letters, len(numbers)) == (3, 1, 3)
    assert [letter.number for letter in one.dead_letters(numbers[0])] == numbers[1:]
    found = one.dead_letter(numbers[1])
    assert found is not None
    assert found.message.id == "1"
    one.remove_letters(numbers[:2])
    assert (one.kept_letters, two.kept_letters, one.lost_letters) == (1, 1, 0)


def test_letters_that_are_given_up_are_counted_as_lost() -> None:
    stored = buried(MemoryStore(), "one", 5)
    stored.limit_letters(2, None, None)
    assert [letter.message.id for letter in stored.dead_letters()] == ["3", "4"]
    assert (stored.kept_letters, stored.lost_letters) == (2, 3)


def test_a_queue_that_gets_another_name_has_it_there_too() -> None:
    store = MemoryStore()
    queue = make_queue(Clock().seconds, store=store, name="old")
    queue.renamed("new")
    assert (queue.name, queue.stored.name) == ("new", "new")
    assert queue.stored.is_in(store)
    assert not queue.stored.is_in(MemoryStore())
