"""How the dispatcher writes results, also where the database refuses them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from twisted.internet.task import Clock

from hub.job_database import dispatcher as module
from hub.job_database.messages import message_of
from hub.job_database.result import Result
from hub.jobs import BadDatabase
from hub.jobs.checks import LONGEST_DELAY
from hub.jobs.job import NewJob, Settlement
from tests.contracts.job_sources import QUEUE, JobRig
from tests.unit.doubles import messages
from tests.unit.job_database.dispatching import claim, counts, failing_at


def test_results_of_all_kinds_are_written_in_one_transaction(
    rig: JobRig, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts that failed have a delay and an error each: a consumer whose dependency is away has many of them."""
    rig.put(messages(6))
    delivery, sizes = claim(rig, 6), list[int]()
    storage: Any = rig.jobs._storage
    settle = storage.settle

    def record(process: int, settlements: Sequence[Settlement], new: Sequence[NewJob] = ()) -> Any:
        sizes.append(len(settlements))
        return settle(process, settlements, new)

    monkeypatch.setattr(storage, "settle", record)
    for number, text in enumerate(("a", "b", "c")):
        rig.source.retry(delivery, 1.0 + number, True, text)
    rig.source.finish(delivery, 5)
    rig.source.retry(delivery, 9.0, False)
    clock.advance(1)
    rig.dispatcher.round()
    assert sizes == [6]
    found = rig.jobs.counts()[QUEUE]
    assert (found.delayed, found.waiting, found.running) == (4, 0, 0)
    assert sorted(error.text for error in rig.jobs.recent_errors()) == ["a", "b", "c"]


def test_no_transaction_has_more_than_some(rig: JobRig, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    rig.put(messages(5))
    delivery = claim(rig, 5)
    monkeypatch.setattr(rig.jobs, "settle", failing_at(2, rig.jobs.settle))
    rig.source.finish(delivery, 5)
    clock.advance(1)
    rig.dispatcher.round()
    assert counts(rig) == (0, 3)
    clock.advance(1)
    rig.dispatcher.round()
    assert counts(rig) == (0, 0)
    assert rig.source.stats().counters.finished == 5


def refusing(bad: Callable[[Settlement], bool], call: Callable[..., Any]) -> Callable[..., Any]:
    """The call, which refuses results such as these."""

    def settle(settlements: Iterable[Settlement]) -> Any:
        listed = list(settlements)
        if any(map(bad, listed)):
            raise BadDatabase("the jobs' database: out of range")
        return call(listed)

    return settle


def test_one_result_that_is_refused_becomes_a_dead_letter_and_holds_up_no_other(
    rig: JobRig, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.put(messages(3))
    delivery = claim(rig, 3)
    monkeypatch.setattr(rig.jobs, "settle", refusing(lambda one: one.delay == 5.0, rig.jobs.settle))
    rig.source.finish(delivery, 1)
    rig.source.retry(delivery, 5.0, True, "no")
    rig.source.finish(delivery, 3)
    clock.advance(1)
    rig.dispatcher.round()
    (dead,) = rig.jobs.peek(QUEUE, "dead")
    assert "its result (retry) can't be written: BadDatabase" in dead.reason
    assert (rig.dispatcher.idle, counts(rig), rig.source.stats().counters.finished) == (True, (0, 0), 2)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_that_can_not_even_be_buried_is_given_up_once_others_are_taken(
    rig: JobRig, clock: Clock, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    rig.put(messages(4))
    delivery = claim(rig, 3)
    bad = delivery.messages[place].id
    monkeypatch.setattr(
        rig.jobs, "settle", refusing(lambda one: message_of(one.job, "main").id == bad, rig.jobs.settle)
    )
    rig.source.finish(delivery, 3)
    clock.advance(1)
    rig.dispatcher.round()
    clock.advance(1)
    if place == 2:  # nothing was taken after it: it may have been the database
        assert isinstance(rig.away[-1], BadDatabase)
        assert (rig.dispatcher.idle, rig.dispatcher.fenced) == (False, 0)
        rig.jobs.claim(1)
        rig.dispatcher.settle(rig.source, [Result(rig.jobs.in_hand[-1], "given back")])
        rig.dispatcher.round()
    assert (rig.dispatcher.idle, rig.dispatcher.fenced, rig.source.lost) == (True, 1, 1)
    assert rig.source.stats().counters.finished == 2


def test_while_the_whole_database_refuses_results_wait(
    rig: JobRig, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.put(messages(3))
    delivery = claim(rig, 3)
    settle = rig.jobs.settle
    monkeypatch.setattr(rig.jobs, "settle", refusing(lambda one: True, settle))
    rig.source.finish(delivery, 3)
    clock.advance(1)
    rig.dispatcher.round()
    assert (isinstance(rig.away[-1], BadDatabase), rig.dispatcher.fenced, counts(rig)) == (True, 0, (0, 3))
    monkeypatch.setattr(rig.jobs, "settle", settle)
    clock.advance(1)
    rig.dispatcher.round()
    assert (rig.away[-1], counts(rig), rig.source.stats().counters.finished) == (None, (0, 0), 3)


@pytest.mark.parametrize("failed", [True, False])
def test_a_delay_beyond_all_bounds_is_as_long_as_can_be(rig: JobRig, clock: Clock, failed: bool) -> None:
    rig.put(messages(1))
    rig.source.retry(claim(rig, 1), 1e13, failed, "later")
    clock.advance(1)
    rig.dispatcher.round()
    (job,) = rig.jobs.peek(QUEUE, "delayed")
    status = rig.jobs.find(job.id)
    assert status is not None
    assert status.due == pytest.approx(LONGEST_DELAY, abs=5)
