"""What every store promises. A new one joins in tests/contracts/stores.py."""

from __future__ import annotations

import threading
from dataclasses import replace

from hub.deadletter import DeadLetter
from hub.store import QueueState, RoutedBatch, Store
from tests.contracts.stores import Books, batch, letter
from tests.support import wait_until
from tests.unit.doubles import messages

# -- the queue


def test_a_new_queue_is_empty(store: Store) -> None:
    assert store.open("new") == QueueState()


def test_of_a_new_queue_nothing_can_be_read(store: Store) -> None:
    store.open("new")
    assert store.read("new", 0, 10, 1000) == []


def test_a_queue_that_was_attached_is_named(store: Store, books: Books) -> None:
    assert list(store.queues()) == ["q"]


def test_a_worker_may_note_what_it_has_in_hand(store: Store, books: Books) -> None:
    hand = store.hand("q")
    hand.hold(0, 5)
    hand.drop()


# -- what arrives


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


# -- dead letters


def test_dead_letters_are_kept_whole_and_in_order(store: Store, books: Books) -> None:
    books.bury(0)
    books.bury(1, 2)
    assert store.flush(10)
    found = store.dead_letters("q")
    assert [replace(one, number=0) for one in found] == [letter(number) for number in range(3)]


def test_each_dead_letter_has_a_number_of_its_own(store: Store, books: Books) -> None:
    books.bury(0, 1, 2)
    assert store.flush(10)
    numbers = [one.number for one in store.dead_letters("q")]
    assert numbers == sorted(set(numbers))
    assert 0 not in numbers


def test_each_queue_has_its_own_dead_letters(store: Store) -> None:
    one, two = Books(store, "one"), Books(store, "two")
    one.bury(1)
    two.bury(2)
    assert (one.ids(), two.ids()) == (["1"], ["2"])


def test_dead_letters_are_read_a_part_at_a_time(store: Store, books: Books) -> None:
    books.bury(*range(5))
    assert store.flush(10)
    everything = list(store.dead_letters("q"))
    read: list[DeadLetter] = []
    while part := store.dead_letters("q", read[-1].number if read else 0, 1):
        assert len(part) == 1
        read += part
    assert read == everything
    assert list(store.dead_letters("q", everything[1].number, 1 << 20)) == everything[2:]


def test_a_dead_letter_is_found_by_its_number(store: Store) -> None:
    one, two = Books(store, "one"), Books(store, "two")
    one.bury(1, 2, 3)
    two.bury(4)
    assert store.flush(10)
    everything = store.dead_letters("one")
    numbers = [kept.number for kept in everything]
    assert [store.letter("one", number) for number in numbers] == everything
    assert store.letter("one", numbers[-1] + 100) is None
    store.remove_letters("one", [numbers[1]])
    assert store.flush(10)
    assert [store.letter("one", number) for number in numbers] == [everything[0], None, everything[2]]


def test_of_a_queue_that_there_is_not_there_are_no_dead_letters(store: Store) -> None:
    assert (list(store.dead_letters("none")), store.lost_dead_letters("none")) == ([], 0)
    assert store.letter("none", 1) is None


def test_what_is_read_is_a_copy(store: Store, books: Books) -> None:
    books.bury(1)
    assert store.flush(10)
    read = store.dead_letters("q")
    books.bury(2)
    assert store.flush(10)
    assert len(read) == 1


def test_beyond_the_limit_the_oldest_goes_and_is_counted(store: Store, books: Books) -> None:
    store.limit_dead_letters("q", 2)
    for number in range(5):
        books.bury(number)
    assert (books.ids(), books.lost()) == (["3", "4"], 3)


def test_of_more_at_once_than_the_limit_the_newest_are_kept(store: Store, books: Books) -> None:
    store.limit_dead_letters("q", 2)
    books.bury(*range(5))
    assert (books.ids(), books.lost()) == (["3", "4"], 3)


def test_a_lower_limit_holds_for_what_is_there(store: Store, books: Books) -> None:
    books.bury(*range(5))
    assert store.flush(10)
    store.limit_dead_letters("q", 2)
    assert (books.ids(), books.lost()) == (["3", "4"], 3)


def test_a_higher_limit_loses_nothing(store: Store, books: Books) -> None:
    store.limit_dead_letters("q", 2)
    books.bury(*range(3))
    assert store.flush(10)
    store.limit_dead_letters("q", 4)
    books.bury(3)
    assert (books.ids(), books.lost()) == (["1", "2", "3"], 1)


def test_a_limit_of_none_keeps_none_and_counts_all(store: Store, books: Books) -> None:
    store.limit_dead_letters("q", 0)
    books.bury(*range(3))
    assert (books.ids(), books.lost()) == ([], 3)


def test_a_limit_of_one_queue_spares_the_others(store: Store) -> None:
    one, two = Books(store, "one"), Books(store, "two")
    one.bury(1, 2)
    two.bury(3, 4)
    store.limit_dead_letters("one", 0)
    assert (one.ids(), two.ids(), one.lost(), two.lost()) == ([], ["3", "4"], 2, 0)


def test_removed_letters_are_gone_and_not_counted_as_lost(store: Store, books: Books) -> None:
    books.bury(*range(4))
    assert store.flush(10)
    numbers = [one.number for one in store.dead_letters("q")]
    store.remove_letters("q", [numbers[0], numbers[2]])
    assert (books.ids(), books.lost()) == (["1", "3"], 0)


def test_what_is_removed_makes_room_below_the_limit(store: Store, books: Books) -> None:
    store.limit_dead_letters("q", 2)
    books.bury(0, 1)
    assert store.flush(10)
    store.remove_letters("q", [store.dead_letters("q")[0].number])
    books.bury(2)
    assert (books.ids(), books.lost()) == (["1", "2"], 0)


def test_to_remove_what_is_not_there_does_nothing(store: Store, books: Books) -> None:
    books.bury(0)
    assert store.flush(10)
    number = store.dead_letters("q")[0].number
    store.remove_letters("q", [number + 100])
    store.remove_letters("q", [number])
    store.remove_letters("q", [number])
    books.bury(1)
    assert (books.ids(), books.lost()) == (["1"], 0)


def test_a_number_is_not_given_twice(store: Store, books: Books) -> None:
    books.bury(0)
    assert store.flush(10)
    number = store.dead_letters("q")[0].number
    store.remove_letters("q", [number])
    books.bury(1)
    assert books.ids() == ["1"]
    assert store.dead_letters("q")[0].number > number


def test_many_threads_may_bury_at_once(store: Store, books: Books) -> None:
    store.limit_dead_letters("q", 10)

    def bury() -> None:
        for number in range(100):
            books.bury(number)

    threads = [threading.Thread(target=bury) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(books.ids()) == 10
    assert books.lost() == 390


# -- what consumers send out


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
    assert list(store.outbox()) == []


def test_what_is_buried_and_sent_out_at_once_has_both(store: Store, books: Books) -> None:
    told: list[str] = []
    store.watch(lambda state, reason: None, lambda first, outbox: told.extend(one.message.id for one in outbox))
    with books.lock:
        books.journal.letters.append(letter(1))
    books.post(2)
    assert (books.ids(), told) == (["1"], ["2"])


def test_at_the_start_nothing_is_to_be_sent_out(store: Store) -> None:
    assert list(store.outbox()) == []


# -- all of it


def test_a_queue_that_is_deleted_has_no_dead_letters(store: Store) -> None:
    one, two = Books(store, "one"), Books(store, "two")
    one.bury(1)
    two.bury(2)
    assert store.flush(10)
    store.delete("two")
    assert store.flush(10)
    assert (list(store.queues()), list(store.dead_letters("two"))) == (["one"], [])
    assert one.ids() == ["1"]


def test_nothing_is_kept_unless_it_is_asked_for(store: Store, books: Books) -> None:
    assert not store.keeps
    assert list(store.kept(0.0, 1e12, "q")) == []


def test_a_store_that_does_nothing_is_well(store: Store) -> None:
    assert store.flush(10)
    status = store.status()
    assert (status["state"], status["reason"]) == ("ok", None)


def test_a_letter_that_is_taken_is_shown_to_nobody_before_the_commit_either(store: Store, books: Books) -> None:
    books.bury(1, 2, 3)
    assert store.flush(10)
    first, second, third = (one.number for one in store.dead_letters("q"))
    store.remove_letters("q", [second])  # no flush: a disk may be full for hours
    assert [store.letter("q", number) is not None for number in (first, second, third)] == [True, False, True]
    assert [one.number for one in store.dead_letters("q")] == [first, third]
    assert [one.number for found in store.find_letters("2") for _, one in found] == []
    assert store.kept_dead_letters("q") == 2
    assert store.flush(10)
    assert store.kept_dead_letters("q") == 2


def test_what_was_sent_is_not_to_be_sent_before_the_commit_either(store: Store, books: Books) -> None:
    told: list[int] = []
    store.watch(lambda state, reason: None, lambda first, outbox: told.append(first))
    books.post(1, 2)
    assert store.flush(10)
    wait_until(lambda: bool(told))
    store.sent(told[0])
    assert [number for number, _ in store.outbox() if number == told[0]] == []
