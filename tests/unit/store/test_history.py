"""History: what is kept for a replay goes in time, and where its room is needed; whatever the clock said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store import Journal, RoutedBatch, Share, history
from hub.store import tables as t
from hub.store.durable import DurableStore
from hub.store.fsck.check import Check
from hub.store.history import STRIDE, Retention, expire_old, received_between
from hub.store.tables import Tables
from tests.unit.doubles import RecordingLog, message, messages

YEAR = 365 * 86400.0
KEEP = 10.0


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    made = Tables(tmp_path, sync=False)
    yield made
    made.close()


def store_pages(tables: Tables, *times: float, first: int = 1, size: int = 10) -> None:
    with tables.writing() as transaction:
        for number, time in enumerate(times, first):
            transaction.put(t.number_key(number), b"x" * size, db=tables.pages)
            transaction.put(t.number_key(number), t.time_value(time), db=tables.spent)


def expire(tables: Tables, now: float) -> tuple[int, int]:
    with tables.writing() as transaction:
        return expire_old(tables, transaction, now, KEEP)


def test_a_page_from_while_the_clock_was_ahead_is_as_old_as_the_next_one(tables: Tables) -> None:
    store_pages(tables, 100.0, 100.0 + YEAR, 101.0, 102.0 + YEAR, 112.0)
    assert expire(tables, 112.5) == (3, 0)
    assert expire(tables, 112.5) == (0, 0)
    assert expire(tables, 123.0) == (2, 0)


def test_where_no_page_tells_their_age_they_count_as_stored_now(tables: Tables) -> None:
    store_pages(tables, YEAR, YEAR)
    assert [expire(tables, 100.0), expire(tables, 105.0), expire(tables, 111.0)] == [(0, 2), (0, 0), (2, 0)]


def test_more_of_them_than_are_looked_past_are_not_kept_for_ever(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "LOOK_AHEAD", 5)
    store_pages(tables, *[YEAR] * 12, 100.0)
    assert expire(tables, 101.0) == (0, 5)
    assert [expire(tables, 112.0)[0] for _ in range(4)] == [5, 0, 0, 0]
    for now in (112.0, 123.0, 134.0, 145.0):
        expire(tables, now)
        expire(tables, now)
    assert tables.count("pages") == 0


def test_the_oldest_goes_where_there_is_too_much_and_no_more_than_must(tables: Tables) -> None:
    found = Retention(tables, KEEP, 30.0, lambda: 0.0)
    store_pages(tables, *[100.0] * 200, size=8000)
    found.limit = tables.used() * 10 // 8 + 1
    with tables.writing() as transaction:
        assert found.expire(transaction, 100.0, 0) == 0
    found.limit = found.limit * 3 // 4
    with tables.writing() as transaction:
        gone = found.expire(transaction, 100.0, 0)
        assert tables.used(transaction) <= found.limit * 0.8
    assert 40 <= gone <= 60 + STRIDE
    with tables.reading() as transaction:
        assert transaction.get(t.number_key(gone), db=tables.pages) is None
        assert transaction.get(t.number_key(gone + 1), db=tables.pages) is not None
    assert not found.crowded


def test_what_one_commit_can_not_make_room_for_is_left_to_the_next(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "TRIM_AT_ONCE", STRIDE)
    found = Retention(tables, KEEP, 30.0, lambda: 0.0)
    store_pages(tables, *[100.0] * 100, size=8000)
    found.limit = 1
    for left in (True, True, True):
        with tables.writing() as transaction:
            assert found.expire(transaction, 100.0, 0) == STRIDE
        assert (found.crowded, found.due) == (left, True)
    with tables.writing() as transaction:
        found.expire(transaction, 100.0, 99)
        found.expire(transaction, 100.0, 0)
    assert not found.crowded


def test_a_bounded_store_keeps_what_comes_and_lets_history_go(tmp_path: Path) -> None:
    """A commit after the other, each settled at once: the file stays within the bound."""
    limit = 2 << 20
    store = DurableStore(tmp_path, RecordingLog(), keep=3600.0, threaded=False, sync=False)
    store.bound(limit)
    store.open("q")
    journal = Journal()
    store.attach("q", lambda: journal)
    for start in range(0, 1000, 2):
        batch = [message(number, body=b"x" * 10_000) for number in (start, start + 1)]
        store.append(RoutedBatch(batch, [Share("q", start, None, batch)]), None)
        journal = Journal(settled=[(start, start + 2)])
        assert store.writer.step()
        journal = Journal()
    status = store.status()
    assert 0.5 * limit < status["used_bytes"] < 0.9 * limit
    assert status["history_pages"] > 40
    assert (tmp_path / t.FILE).stat().st_size <= limit + (1 << 20)
    store.close()


def test_what_was_received_while_the_clock_was_ahead_is_found_with_what_came_before_it() -> None:
    pages = [(number, [(message(time), None) for time in times]) for number, times in enumerate(((1, 900), (2,), (3,)))]

    def found(since: float, until: float) -> list[list[str]]:
        return [[one.id for one, _ in page] for page in received_between(pages, since, until, 10.0)]

    assert found(1, 2) == [["1", "900"], [], []]
    assert found(2, 4) == [[], ["2"], ["3"]]
    assert found(900, 901) == [[], [], []]


def test_pages_are_read_from_a_number_to_a_number(tmp_path: Path) -> None:
    store = DurableStore(tmp_path, RecordingLog(), keep=3600.0, threaded=False, sync=False)
    for one in messages(5):
        store.append(RoutedBatch([one], []), None)
        store.writer.step()
    assert store.writer.pages_to_come == 6
    found = [(after, [one.id for one, _ in page]) for after, page in store.history("q", 2, 5)]
    assert found == [(3, ["1"]), (4, ["2"]), (5, ["3"])]
    store.close()


@pytest.mark.parametrize(("at", "kinds"), [(5.0, []), (1e12, ["marks"])])
def test_a_page_of_history_may_be_noted_as_older_but_not_as_younger(
    tmp_path: Path, at: float, kinds: list[str]
) -> None:
    """It was stored while the clock was ahead."""
    store = DurableStore(tmp_path, RecordingLog(), keep=1e9, threaded=False, wall=lambda: 1000.0)
    store.append(RoutedBatch([message(1)], []), None)
    store.writer.step()
    with store.tables.writing() as transaction:
        transaction.put(t.number_key(1), t.time_value(at), db=store.tables.spent)
    with store.tables.reading() as transaction:
        assert [problem.kind for problem in Check(store.tables, transaction).problems()] == kinds
    store.close()
