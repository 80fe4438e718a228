"""Queues that are deleted, by an operator, on a durable store."""

from __future__ import annotations

import pytest

from hub.errors import ConfigError
from hub.store import durable
from tests.unit.doubles import letter_of, messages, size_of
from tests.unit.store.bench import Bench
from tests.unit.store.rig import FullDisk, rows


def test_all_of_it_goes_and_the_others_keep_theirs(bench: Bench) -> None:
    bench.queue("gone")
    bench.deliver(messages(3))
    taken = bench.take(1, "gone")
    bench.queues["gone"].bury(taken, True, letter_of(taken))
    bench.queues["gone"].retry(bench.take(1, "gone"), 5.0, failed=True)
    bench.step()
    bench.store.delete("gone")
    bench.step()
    assert list(bench.store.queues()) == ["q"]
    assert [bench.count(table) for table in ("queues", "letters", "tries", "index", "pages")] == [1, 0, 0, 1, 1]
    del bench.queues["gone"]
    bench.crash()
    assert bench.drain() == ["0", "1", "2"]


def test_a_page_that_only_it_needed_goes(bench: Bench) -> None:
    bench.queue("gone")
    bench.deliver(messages(3), "gone")
    bench.step()
    bench.store.delete("gone")
    bench.step()
    assert [bench.count(table) for table in ("index", "refs", "pages")] == [0, 0, 0]


def test_what_arrived_for_it_and_was_not_committed_goes(bench: Bench) -> None:
    bench.queue("gone")
    bench.deliver(messages(3))
    bench.store.delete("gone")
    bench.step()
    assert bench.count("index") == 1
    assert bench.drain() == ["0", "1", "2"]


def test_it_may_come_back_and_is_empty(bench: Bench) -> None:
    bench.deliver(messages(3))
    bench.step()
    bench.store.delete("q")
    bench.step()
    bench.queue()
    assert bench.received() == (0, 0, 0)
    bench.deliver(messages(2))
    bench.step()
    bench.crash()
    assert bench.drain() == ["0", "1"]


@pytest.mark.parametrize("restarts", [False, True])
def test_its_number_is_not_given_again(bench: Bench, restarts: bool) -> None:
    """Pages that others need still name it, and so does a rescue."""
    bench.queue("gone")
    bench.step()
    before = set(rows(bench.store.tables, "queues"))
    bench.store.delete("gone")
    del bench.queues["gone"]
    bench.step()
    if restarts:
        bench.crash()
    bench.queue("new")
    bench.step()
    assert not (set(rows(bench.store.tables, "queues")) - {min(before)}) & before


def test_it_does_not_come_back_before_it_is_gone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was stored for it meanwhile would go with it."""
    monkeypatch.setattr(durable, "DELETE_TIMEOUT", 0.0)
    bench.deliver(messages(3))
    bench.step()
    bench.store.delete("q")
    with FullDisk(bench.store.tables, 9):
        bench.step()
    with pytest.raises(ConfigError, match="q"):
        bench.queue()
    bench.step()
    bench.queue()
    assert bench.received() == (0, 0, 0)


def test_to_delete_what_there_is_not_does_nothing_to_who_comes_later(bench: Bench) -> None:
    bench.store.delete("new")
    bench.step()
    bench.queue("new")
    bench.deliver(messages(2), "new")
    bench.step()
    assert bench.drain("new") == ["0", "1"]


def test_who_asks_for_its_numbers_may_come_too_late(bench: Bench) -> None:
    """The writer deletes it while a status is being put together, of the names that there were."""
    bench.queue("gone")
    bench.deliver(messages(3), "gone")
    bench.step()
    ledger = bench.store.writer.ledgers["gone"]
    bench.store.delete("gone")
    bench.step()
    assert bench.store.stats("gone").counters.backlog == 0
    assert bench.store.stats("gone").oldest_received_at is None
    assert bench.store._oldest(ledger) is None
    assert bench.store.settled("gone", 0)


def test_one_that_was_not_opened_leaves_its_tries_and_priorities_to_nobody(bench: Bench) -> None:
    bench.queue("gone")
    batch = messages(2)
    bench.enqueuer.deliver(batch, [(bench.queues["gone"], None)], size_of(batch), None, priority=9)
    bench.queues["gone"].retry(bench.take(1, "gone"), 5.0, failed=True)
    bench.step()
    del bench.queues["gone"]
    bench.restart()
    bench.store.delete("gone")
    bench.step()
    state = bench.store.open("gone")
    assert (state.tries, list(state.levels)) == ({}, [])
