"""A queue's books in the writer: what is noted, what is written of it, and what is left for the next commit."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.deadletter import DeadLetter
from hub.stats.counters import Counters
from hub.store import Journal, Outgoing, Tie, Try
from hub.store.ledger import Ledger, below
from hub.store.queue_key import QueueKey
from tests.unit.doubles import message


def ledger(next_position: int = 0) -> Ledger:
    made = Ledger(1, QueueKey("", "q"), 0.5)
    commit(made, next_position)
    return made


def commit(one: Ledger, upto: int, evicted: int = 0, removed: int = 0) -> None:
    one.accept(one.draft(upto, evicted, removed), True)


def letter(number: int) -> DeadLetter:
    return DeadLetter(message(number), "no", 1, 0.0)


def test_a_new_one_has_to_be_written() -> None:
    assert Ledger(1, QueueKey("", "q"), 0.5).dirty


def test_each_record_has_the_number_after_that_of_the_last_one() -> None:
    one = Ledger(1, QueueKey("", "q"), 0.5)
    numbers = []
    for _ in range(3):
        numbers.append(one.draft(0, 0, 0).commit)
        commit(one, 0)
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    assert numbers[0] == 1


def test_one_that_is_written_has_not() -> None:
    assert not ledger().dirty


def test_an_empty_journal_changes_nothing() -> None:
    one = ledger()
    one.absorb(Journal())
    assert not one.dirty


def test_counters_alone_have_to_be_written() -> None:
    """What was refused is in no page."""
    one = ledger()
    one.absorb(Journal(counters=Counters(received=3, dropped_newest=3)))
    assert one.dirty
    assert one.draft(0, 0, 0).counters.dropped_newest == 3


def test_of_messages_that_are_not_stored_nothing_is_written() -> None:
    one = ledger()
    one.absorb(Journal(settled=[(0, 3), (5, 9)], tries={3: Try(1), 8: Try(1)}))
    record = one.draft(7, 0, 0)
    assert (record.next_position, record.floor) == (7, 3)


def test_what_is_settled_from_the_start_beyond_what_is_stored_is_cut() -> None:
    one = ledger()
    one.absorb(Journal(settled=[(0, 9)]))
    assert one.draft(7, 0, 0).floor == 7


def test_the_rest_of_it_is_left_for_the_next_commit() -> None:
    one = ledger()
    one.absorb(Journal(settled=[(0, 3), (5, 9)], tries={4: Try(1), 10: Try(2)}))
    commit(one, 7)
    assert (one.settled, one.tries, one.dirty) == ([(7, 9)], {10: Try(2)}, True)
    commit(one, 12)
    assert (one.settled, one.tries, one.dirty) == ([], {}, False)


def test_what_is_settled_is_tried_no_more() -> None:
    one = ledger(9)
    one.absorb(Journal(tries={3: Try(1), 4: Try(1)}))
    commit(one, 9)
    one.absorb(Journal(settled=[(0, 4)]))
    assert (one.tried, one.untried) == ({4}, [3])
    commit(one, 9)
    assert (one.tried, one.untried) == ({4}, [])


def test_what_is_tried_and_settled_in_one_journal_is_settled() -> None:
    one = ledger(9)
    one.absorb(Journal(tries={3: Try(1)}, settled=[(3, 4)]))
    assert (one.tries, one.tried) == ({}, set())


def test_dead_letters_are_numbered_on() -> None:
    one = ledger()
    one.absorb(Journal(letters=[letter(1), letter(2)]))
    assert list(one.letters) == [1, 2]
    commit(one, 0)
    one.absorb(Journal(letters=[letter(3)]))
    assert list(one.letters) == [3]
    assert (one.letters_kept, one.draft(0, 0, 0).letters) == (2, 3)


def test_evicted_letters_are_lost_and_removed_ones_are_not() -> None:
    one = ledger()
    one.absorb(Journal(letters=[letter(n) for n in range(5)]))
    one.remove([1, 2])
    commit(one, 0, evicted=1, removed=2)
    assert (one.letters_kept, one.letters_lost, one.removed) == (2, 1, set())


def test_letters_whose_deletion_waits_are_still_to_be_removed() -> None:
    one = ledger()
    one.remove([1], again=True)
    one.accept(one.draft(0, 0, 0), False)
    assert (one.removed, one.dirty) == ({1}, True)


def test_what_is_sent_out_is_posted_once() -> None:
    one = ledger()
    one.absorb(Journal(outbox=[Outgoing("bus", message(1))]))
    assert len(one.outbox) == 1
    commit(one, 0)
    assert one.outbox == []


def test_a_commit_that_failed_is_tried_again_with_what_came_since() -> None:
    one = ledger(9)
    one.absorb(Journal(settled=[(0, 2)], letters=[letter(1)]))
    one.draft(9, 0, 0)
    one.absorb(Journal(settled=[(2, 3)], letters=[letter(2)]))
    assert (one.settled, list(one.letters)) == ([(0, 2), (2, 3)], [1, 2])


def test_it_is_restored_as_it_was_written() -> None:
    one = ledger(9)
    counters = Counters(received=9, finished=2, dead=1)
    one.absorb(Journal(settled=[(0, 2), (4, 5)], letters=[letter(1)], counters=counters, unread_bytes=70))
    record = one.draft(9, 0, 0)
    again = Ledger.restore(record, [(4, 5)], {3: Try(1)})
    state = again.state({3: Try(1)}, 5.0)
    assert (state.floor, state.ranges, state.next_position) == (2, [(4, 5)], 9)
    assert (state.counters, state.unread_bytes, state.oldest, state.tries) == (counters, 70, 5.0, {3: Try(1)})
    assert (again.dirty, again.letters_kept) == (False, 1)
    assert again.draft(9, 0, 0).next_letter == record.next_letter


def test_what_arrived_after_the_counters_were_read_is_counted() -> None:
    one = ledger(5)
    one.absorb(Journal(settled=[(0, 2)], counters=Counters(received=5, finished=2)))
    again = Ledger.restore(one.draft(12, 0, 0), [], {})
    assert (again.counters.received, again.counters.backlog) == (12, 10)


def test_whoever_has_the_state_does_not_change_the_ledger() -> None:
    one = ledger(5)
    state = one.state({}, None)
    state.counters.finished += 1
    assert one.counters.finished == 0


ranges = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)).map(lambda one: (one[0], one[0] + one[1])))


@given(ranges, st.integers(0, 25))
def test_below_leaves_the_positions_below(some: list[tuple[int, int]], limit: int) -> None:
    expected = [at for start, stop in some for at in range(start, stop) if at < limit]
    assert [at for start, stop in below(some, limit) for at in range(start, stop)] == expected


def test_what_needs_room_is_held_until_it_is_admitted() -> None:
    """And what does not is settled meanwhile, also that which came later."""
    one = ledger(9)
    counters = Counters(received=9, dead=1, finished=3)
    tied = Journal(settled=[(0, 2)], ties=[Tie(2, 3, 1, 0), Tie(4, 5, 0, 1)], letters=[letter(2)], counters=counters)
    tied.outbox.append(Outgoing("bus", message(4)))
    one.absorb(tied, hold=True)
    record = one.draft(9, 0, 0)
    assert (one.window.floor, one.letters, one.outbox, record.floor) == (2, {}, [], 2)
    assert (record.counters.dead, record.counters.finished) == (0, 2)
    assert one.state({}, None).ranges == [(4, 5)]
    assert one.state({}, None).floor == 3
    one.absorb(Journal(settled=[(3, 4)], counters=counters), hold=True)
    one.admit(2)
    assert (one.window.floor, list(one.letters), len(one.outbox)) == (5, [1], 1)
    assert one.draft(9, 0, 0).counters == counters


def test_what_was_admitted_is_held_again_if_the_commit_failed() -> None:
    one = ledger(9)
    one.absorb(Journal(tries={2: Try(1)}))
    commit(one, 9)
    one.absorb(Journal(ties=[Tie(2, 3, 1, 0), Tie(5, 7, 1, 0)], letters=[letter(2), letter(5)]), hold=True)
    one.admit(2)
    assert (one.untried, one.settled) == ([2], [(2, 3), (5, 7)])
    one.retract()
    assert (one.window.floor, one.window.ranges, one.settled, one.letters) == (0, [], [], {})
    assert (one.untried, one.tried, len(one.held)) == ([], {2}, 2)
    one.admit(2)
    commit(one, 9)
    assert (one.window.ranges, one.held, one.admitted) == ([(2, 3), (5, 7)], [], [])


def test_a_commit_that_failed_takes_no_number_from_the_dead_letters() -> None:
    """Also where some are committed before, and where the one that failed is tried with fewer."""
    one = ledger()
    one.absorb(Journal(letters=[letter(1), letter(2)]))
    commit(one, 0)
    one.absorb(Journal(letters=[letter(3), letter(4)]), hold=True)
    one.admit(2)
    one.retract()
    assert one.draft(0, 0, 0).next_letter == 3
    one.admit(1)
    one.retract()
    one.admit(1)
    assert list(one.letters) == [3]
    commit(one, 0)
    one.admit(1)
    assert list(one.letters) == [4]


def test_shown_counters_are_those_that_a_restart_would_know() -> None:
    one = ledger()
    one.absorb(Journal(counters=Counters(received=9, finished=2), admitted=7))  # two were refused
    record = one.draft(5, 0, 0)
    one.accept(record, True)
    assert (one.shown.received, one.shown.finished) == (7, 2)
    one.absorb(Journal(counters=Counters(received=9, dead=1), admitted=8, letters=[letter(1)]), hold=True)
    one.accept(one.draft(8, 0, 0), True)
    assert (one.shown.received, one.shown.dead) == (8, 0)


def test_tries_that_were_not_written_are_left_for_the_next_commit() -> None:
    one = ledger(9)
    one.absorb(Journal(tries={3: Try(1)}))
    one.accept(one.draft(9, 0, 0), True, tried=False)
    assert (one.tries, one.dirty) == ({3: Try(1)}, True)
    one.accept(one.draft(9, 0, 0), True)
    assert (one.tries, one.dirty) == ({}, False)


def test_what_was_settled_without_a_letter_stays_settled_if_the_commit_failed() -> None:
    one = ledger(9)
    one.absorb(Journal(tries={1: Try(1), 2: Try(1), 3: Try(1)}))
    commit(one, 9)
    one.absorb(Journal(settled=[(1, 2), (3, 4)], ties=[Tie(2, 3, 1, 0)], letters=[letter(2)]))
    one.retract()
    assert (one.untried, one.tried, one.settled) == ([1, 3], {2}, [(1, 2), (3, 4)])
    assert one.window.ranges == [(1, 2), (3, 4)]


def test_all_that_was_admitted_since_a_commit_is_held_again_in_order_if_the_next_failed() -> None:
    one = ledger(9)
    one.absorb(Journal(letters=[letter(1)]))
    one.absorb(Journal(letters=[letter(2)]))
    one.retract()
    assert [burden.letters[0].message.id for burden in one.held] == ["1", "2"]


def test_the_time_of_a_delayed_message_is_noted_where_nothing_newer_is() -> None:
    one = ledger(9)
    one.absorb(Journal(settled=[(1, 2)], tries={2: Try(2)}))
    commit(one, 2)
    one.delay({position: Try(due=50.0) for position in (1, 2, 3)})
    assert (one.tries, one.tried, one.dirty) == ({2: Try(2), 3: Try(due=50.0)}, {2, 3}, True)
