"""One transaction: which pages it writes, and which it lets go."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.deadletter import DeadLetter
from hub.message import Message
from hub.store import Beginning, Journal, Outgoing, RoutedBatch, Share, Try
from hub.store import records as r
from hub.store import tables as t
from hub.store.commit import Commit
from hub.store.history import TRIM_AT_ONCE, expire_old
from hub.store.ledger import Ledger
from hub.store.letters import Amount, LetterLimits
from hub.store.queue_key import QueueKey
from hub.store.tables import Tables
from hub.store.window import merged
from tests.unit.doubles import message, messages
from tests.unit.store.rig import rows


class Desk:
    """Two queues, and a commit at a time."""

    def __init__(self, directory: Path) -> None:
        self.tables = Tables(directory, sync=False)
        self.ledgers = {"one": Ledger(1, QueueKey("", "one"), 0.0), "two": Ledger(2, QueueKey("", "two"), 0.0)}
        self.keep = 0.0
        self.now = 100.0
        self.next_page = 1

    def commit(self, *batches: RoutedBatch, final: bool = True) -> Commit:
        with self.tables.writing() as transaction:
            commit = Commit(self.tables, transaction, self.ledgers, self.now, self.keep, final)
            for batch in batches:
                self.next_page += commit.append(self.next_page, batch)
            drafts = [(ledger, commit.settle(ledger)) for ledger in commit.touched]
        for ledger, record in drafts:
            ledger.accept(record, final)
        return commit

    def settle(self, name: str, start: int, stop: int) -> None:
        self.ledgers[name].absorb(Journal(settled=[(start, stop)]))

    def bury(self, name: str, *numbers: int) -> None:
        self.ledgers[name].absorb(Journal(letters=[DeadLetter(message(n), "no", 1, 0.0) for n in numbers]))

    def letters(self) -> list[str]:
        return [
            r.unseal(r.LETTER, r.letters, value).letter().message.id for value in rows(self.tables, "letters").values()
        ]

    def expire(self) -> int:
        with self.tables.writing() as transaction:
            return expire_old(self.tables, transaction, self.now, self.keep)[0]

    def refs(self) -> list[int]:
        return [t.refs_of(value)[0] for value in rows(self.tables, "refs").values()]

    def counts(self) -> tuple[int, int, int, int]:
        """Rows of pages, index, refs, spent."""
        pages, index, refs, spent = (len(rows(self.tables, name)) for name in ("pages", "index", "refs", "spent"))
        return pages, index, refs, spent


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.tables.close()


def batch(start: int, count: int, *names: str) -> RoutedBatch:
    mine = messages(count)
    return RoutedBatch(mine, [Share(name, start, None, mine) for name in names])


# -- pages


def test_a_batch_is_one_page_for_all_its_queues(desk: Desk) -> None:
    desk.commit(batch(0, 3, "one", "two"))
    assert desk.counts() == (1, 2, 1, 0)
    assert desk.refs() == [2]


def test_a_page_goes_with_the_last_queue_that_needs_it(desk: Desk) -> None:
    desk.commit(batch(0, 3, "one", "two"))
    desk.settle("one", 0, 3)
    desk.commit()
    assert (desk.counts(), desk.refs()) == ((1, 1, 1, 0), [1])
    desk.settle("two", 0, 3)
    desk.commit()
    assert desk.counts() == (0, 0, 0, 0)


def test_a_page_stays_while_one_of_its_messages_is_needed(desk: Desk) -> None:
    desk.commit(batch(0, 3, "one"))
    desk.settle("one", 0, 1)
    desk.commit()
    desk.settle("one", 2, 3)
    desk.commit()
    assert desk.counts() == (1, 1, 1, 0)
    desk.settle("one", 1, 2)
    desk.commit()
    assert desk.counts() == (0, 0, 0, 0)


def test_many_pages_go_at_once(desk: Desk) -> None:
    desk.commit(*[batch(start, 2, "one") for start in range(0, 20, 2)])
    desk.settle("one", 1, 19)
    desk.commit()
    assert desk.counts() == (2, 2, 2, 0)


def test_what_is_finished_before_its_commit_needs_no_page(desk: Desk) -> None:
    desk.settle("one", 0, 3)
    desk.settle("two", 0, 3)
    commit = desk.commit(batch(0, 3, "one", "two"))
    assert (commit.pages, commit.skipped, desk.counts()) == (0, 1, (0, 0, 0, 0))
    assert desk.ledgers["one"].next_position == 3


def test_a_page_is_for_those_that_still_need_it(desk: Desk) -> None:
    desk.settle("one", 0, 3)
    desk.commit(batch(0, 3, "one", "two"))
    assert (desk.counts(), desk.refs()) == ((1, 1, 1, 0), [1])


def test_a_batch_that_is_finished_in_part_has_its_page(desk: Desk) -> None:
    desk.settle("one", 0, 2)
    desk.commit(batch(0, 3, "one"))
    desk.settle("one", 2, 3)
    assert desk.counts() == (1, 1, 1, 0)
    desk.commit()
    assert desk.counts() == (0, 0, 0, 0)


def test_settled_beyond_what_is_stored_waits_for_its_message(desk: Desk) -> None:
    """The messages of one step may take several commits."""
    desk.settle("one", 0, 4)
    desk.commit(batch(0, 2, "one"), final=False)
    desk.commit(batch(2, 2, "one"))
    assert desk.counts() == (0, 0, 0, 0)
    assert desk.ledgers["one"].window.floor == 4


def test_a_batch_that_nobody_wants_is_not_kept(desk: Desk) -> None:
    assert desk.commit(batch(0, 3)).pages == 0


def test_a_batch_of_nothing_does_no_harm(desk: Desk) -> None:
    desk.keep = 60.0
    assert desk.commit(RoutedBatch([], [])).pages == 0


def test_a_message_that_can_not_be_written_is_written_as_it_can(desk: Desk) -> None:
    bad = [Message("1", "a\udcff", b"x", {"h": "\udcff"}), message(2)]
    desk.commit(RoutedBatch(bad, [Share("one", 0, None, bad)]))
    (value,) = rows(desk.tables, "pages").values()
    found = r.unseal(r.PAGE, r.pages, value).messages()
    assert [one.topic for one in found] == ["a\\udcff", "a.b"]
    assert found[1] == message(2)


# -- keeping


def test_kept_pages_are_kept_for_their_time(desk: Desk) -> None:
    desk.keep = 60.0
    desk.commit(batch(0, 3, "one"))
    desk.now = 150.0
    desk.settle("one", 0, 3)
    desk.commit()
    assert desk.counts() == (1, 0, 0, 1)
    desk.now = 159.9
    assert desk.expire() == 0
    desk.now = 160.0
    assert desk.expire() == 1
    assert desk.counts() == (0, 0, 0, 0)


def test_what_is_finished_or_unwanted_at_once_is_kept_too(desk: Desk) -> None:
    desk.keep = 60.0
    desk.settle("one", 0, 3)
    desk.commit(batch(0, 3, "one"), batch(0, 2))
    assert desk.counts() == (2, 0, 0, 2)


def test_copies_are_not_kept(desk: Desk) -> None:
    desk.keep = 60.0
    desk.commit(RoutedBatch(messages(2), [], copy=True))
    assert desk.counts() == (0, 0, 0, 0)


def test_what_somebody_needs_is_not_expired(desk: Desk) -> None:
    desk.keep = 60.0
    desk.commit(batch(0, 3, "one"))
    desk.now = 10_000.0
    assert desk.expire() == 0
    assert desk.counts() == (1, 1, 1, 0)


def test_a_bounded_number_is_expired_at_a_time(desk: Desk) -> None:
    desk.keep = 60.0
    desk.commit(*[batch(0, 1) for _ in range(TRIM_AT_ONCE + 5)])
    desk.now = 10_000.0
    assert [desk.expire() for _ in range(3)] == [TRIM_AT_ONCE, 5, 0]


# -- tries


def test_a_try_is_written_and_deleted_with_its_message(desk: Desk) -> None:
    desk.commit(batch(0, 3, "one"))
    desk.ledgers["one"].absorb(Journal(tries={1: Try(1, 1, 5.0, 2.0, 0)}))
    desk.commit()
    assert {t.place_of(key): t.try_of(value) for key, value in rows(desk.tables, "tries").items()} == {
        (1, 1): Try(1, 1, 5.0, 2.0, 0)
    }
    desk.ledgers["one"].absorb(Journal(tries={1: Try(2)}))
    desk.commit()
    assert [t.try_of(value).attempts for value in rows(desk.tables, "tries").values()] == [2]
    desk.settle("one", 1, 2)
    desk.commit()
    assert rows(desk.tables, "tries") == {}


def test_a_try_waits_for_its_message(desk: Desk) -> None:
    desk.ledgers["one"].absorb(Journal(tries={1: Try(1)}))
    desk.commit(final=False)
    assert rows(desk.tables, "tries") == {}
    desk.commit(batch(0, 3, "one"))
    assert len(rows(desk.tables, "tries")) == 1


# -- dead letters


def test_the_oldest_letters_go_for_newer_ones(desk: Desk) -> None:
    desk.ledgers["one"].limit(LetterLimits(2))
    desk.bury("one", 1, 2, 3)
    desk.bury("two", 4)
    desk.commit()
    assert (desk.letters(), desk.ledgers["one"].letters_lost) == (["2", "3", "4"], 1)


def test_who_is_last_in_the_table_may_lose_all(desk: Desk) -> None:
    desk.bury("two", 4, 5)
    desk.commit()
    desk.ledgers["two"].limit(LetterLimits(0))
    desk.commit()
    assert (desk.letters(), desk.ledgers["two"].letters_lost) == ([], 2)


def test_a_wrong_count_of_letters_does_not_take_those_of_others(desk: Desk) -> None:
    """As damage may leave it."""
    desk.bury("one", 1)
    desk.bury("two", 4)
    desk.commit()
    desk.ledgers["one"].letters_held = Amount(5, 0)
    desk.ledgers["two"].letters_held = Amount(5, 0)
    desk.ledgers["one"].limit(LetterLimits(0))
    desk.commit()
    assert desk.letters() == ["4"]
    desk.ledgers["two"].limit(LetterLimits(0))
    desk.commit()
    assert desk.letters() == []


def test_a_letter_is_not_deleted_before_all_that_arrived_is_stored(desk: Desk) -> None:
    """It may be among it: given to its queue again."""
    desk.bury("one", 1, 2)
    desk.commit()
    desk.ledgers["one"].remove([1], again=True)
    desk.commit(final=False)
    assert desk.letters() == ["1", "2"]
    desk.commit()
    assert desk.letters() == ["2"]


def test_one_that_an_operator_deletes_waits_for_nothing(desk: Desk) -> None:
    """It is room for what waits."""
    desk.bury("one", 1, 2)
    desk.commit()
    desk.ledgers["one"].remove([1])
    desk.commit(final=False)
    assert desk.letters() == ["2"]
    assert desk.ledgers["one"].letters_kept == 1


def test_nor_is_a_good_one_evicted_for_it(desk: Desk) -> None:
    desk.ledgers["one"].limit(LetterLimits(2))
    desk.bury("one", 1, 2)
    desk.commit()
    desk.ledgers["one"].remove([2], again=True)
    desk.bury("one", 3)
    desk.commit(final=False)
    desk.commit()
    assert (desk.letters(), desk.ledgers["one"].letters_lost) == (["1", "3"], 0)


# -- the outbox, and helpers


def test_outgoing_messages_are_there_until_they_are_sent(desk: Desk) -> None:
    with desk.tables.writing() as transaction:
        commit = Commit(desk.tables, transaction, desk.ledgers, 0.0, 0.0)
        commit.post(5, [Outgoing("bus", message(1)), Outgoing("bus", message(2))])
        commit.sent({5, 99})
    (value,) = rows(desk.tables, "outbox").values()
    found = r.unseal(r.OUTGOING, r.outgoings, value)
    assert (found.number, r.unflat(found.message)) == (6, message(2))


ranges = st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)).map(lambda one: (one[0], one[0] + one[1])))


@given(ranges)
def test_merged_ranges_hold_the_same_positions_and_do_not_touch(some: list[tuple[int, int]]) -> None:
    found = merged(some)
    assert [at for start, stop in found for at in range(start, stop)] == sorted(
        {at for start, stop in some for at in range(start, stop)}
    )
    assert all(before[1] < after[0] for before, after in pairwise(found))


def test_the_progress_of_a_backfill_is_kept_until_it_has_ended(desk: Desk) -> None:
    desk.commit(batch(0, 1, "one"), RoutedBatch([], [], beginning=("two", Beginning(50.0))))
    assert desk.ledgers["two"].beginning == Beginning(50.0, 0, until=2)
    desk.commit(RoutedBatch([], [], beginning=("two", Beginning(50.0, 1, until=2))))
    assert desk.ledgers["two"].beginning == Beginning(50.0, 1, until=2)
    desk.commit(batch(1, 1, "two"))
    assert desk.ledgers["two"].beginning == Beginning(50.0, 1, until=2)
    desk.commit(RoutedBatch([], [], beginning=("two", None)))
    assert [ledger.beginning for ledger in desk.ledgers.values()] == [None, None]


def test_the_try_of_the_next_message_is_not_written_yet(desk: Desk) -> None:
    desk.ledgers["one"].absorb(Journal(tries={0: Try(1), 1: Try(1)}))
    desk.commit(batch(0, 1, "one"))
    assert len(rows(desk.tables, "tries")) == 1
