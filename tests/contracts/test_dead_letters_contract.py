"""The dead letters of a store: what every store promises. A new one joins in tests/contracts/stores.py."""

from __future__ import annotations

import threading
from dataclasses import replace

from hub.deadletter import DeadLetter
from hub.store import Store
from tests.contracts.stores import Books, letter


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
