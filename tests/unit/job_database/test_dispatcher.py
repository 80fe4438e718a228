"""The dispatcher of one database: when it claims, when it writes, and what it does when the database is away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from twisted.internet.task import Clock

from hub.errors import Unavailable
from hub.job_database import dispatcher as module
from hub.job_database.sending import MOST_UNSENT
from hub.jobs.job import Job, Settlement
from hub.store import Outgoing
from tests.contracts.job_sources import QUEUE, JobRig
from tests.unit.doubles import messages
from tests.unit.job_database.dispatching import claim, counts, failing


def test_nothing_is_claimed_that_no_worker_wants(rig: JobRig) -> None:
    rig.put(messages(5))
    assert rig.dispatcher.round() == module.IDLE
    assert counts(rig) == (5, 0)
    claim(rig, 2)
    assert counts(rig) == (3, 2)


def test_an_idle_queue_is_asked_less_and_less_often(rig: JobRig, clock: Clock) -> None:
    rig.source._wanted = 1
    waits = []
    for _ in range(8):
        waits.append(round(rig.dispatcher.round(), 3))
        clock.advance(waits[-1])
    assert waits == [0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0, 1.0]
    rig.jobs.insert(QUEUE, 1)
    assert rig.dispatcher.round() > 0 or counts(rig) == (0, 1)
    rig.dispatcher.look_again()
    rig.dispatcher.round()
    assert counts(rig) == (0, 1)
    rig.source._wanted = 0


def test_what_is_heard_of_while_it_is_claimed_is_asked_for_at_once(
    rig: JobRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = rig.jobs.claim

    def late(*given: Any) -> list[Job]:
        found = claim(*given)
        rig.dispatcher.look_again(QUEUE)
        return found

    monkeypatch.setattr(rig.jobs, "claim", late)
    rig.source._wanted = 1
    assert rig.dispatcher.round() == 0
    monkeypatch.setattr(rig.jobs, "claim", claim)
    assert rig.dispatcher.round() > 0
    rig.dispatcher.look_again("another")
    assert rig.dispatcher.round() > 0
    rig.dispatcher.look_again()
    assert rig.dispatcher._polls[rig.source][0] == module.STARTED
    rig.source._wanted = 0


def test_results_wait_for_others_while_workers_are_busy(rig: JobRig, clock: Clock) -> None:
    rig.put(messages(3))
    rig.source.finish(claim(rig, 3), 1)
    assert 0 < rig.dispatcher.round() <= module.GATHER
    assert counts(rig) == (0, 3)
    clock.advance(module.GATHER)
    rig.dispatcher.round()
    assert counts(rig) == (0, 2)


def test_many_results_or_a_worker_that_waits_are_no_reason_to_wait(rig: JobRig) -> None:
    rig.put(messages(module.MANY + 1))
    rig.source.finish(claim(rig, module.MANY), module.MANY)
    rig.dispatcher.round()
    assert sum(counts(rig)) == 1
    rig.source.finish(claim(rig, 1), 1)
    rig.source._wanted = 1
    rig.dispatcher.round()
    rig.source._wanted = 0
    assert sum(counts(rig)) == 0


def test_a_database_that_is_away_is_tried_again_and_nothing_is_lost(
    rig: JobRig, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.put(messages(2))
    delivery = claim(rig, 2)
    monkeypatch.setattr(rig.jobs, "settle", failing(2, rig.jobs.settle))
    rig.source.finish(delivery, 2)
    clock.advance(1)
    waits = [rig.dispatcher.round()]
    clock.advance(waits[0] / 2)
    assert rig.dispatcher.round() == pytest.approx(waits[0] / 2)
    clock.advance(waits[0])
    waits.append(rig.dispatcher.round())
    assert waits == [pytest.approx(module.FIRST_PAUSE), pytest.approx(2 * module.FIRST_PAUSE)]
    assert isinstance(rig.away[-1], Unavailable)
    assert not rig.dispatcher.idle
    clock.advance(1)
    rig.dispatcher.round()
    assert counts(rig) == (0, 0)
    assert (rig.away[-1:], rig.dispatcher.idle) == ([None], True)
    assert rig.source.stats().counters.finished == 2


def test_a_claim_that_nobody_wants_any_more_leaves_no_error(
    rig: JobRig, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig.jobs, "claim", failing(1, rig.jobs.claim))
    rig.source._wanted = 1
    rig.dispatcher.round()
    rig.source._wanted = 0
    clock.advance(1)
    rig.dispatcher.round()
    assert rig.away[-1] is None
    told = len(rig.away)
    rig.dispatcher.round()
    assert len(rig.away) == told


def test_a_result_that_is_refused_is_counted_and_the_others_are_kept(rig: JobRig, clock: Clock) -> None:
    rig.put(messages(3))
    delivery = claim(rig, 3)
    (first, *_) = rig.jobs.in_hand
    rig.jobs.give_back(first)  # as if the process had been given up
    rig.source.finish(delivery, 3)
    clock.advance(1)
    rig.dispatcher.round()
    assert (rig.dispatcher.fenced, rig.source.lost, rig.source.stats().counters.finished) == (1, 1, 2)


def test_no_worker_is_given_what_is_somebody_elses_by_now(rig: JobRig) -> None:
    rig.put(messages(3))
    rig.source._wanted = 3
    rig.dispatcher.round()
    rig.source._wanted = 0
    assert len(rig.source.buffered()) == 3
    rig.jobs._forget(rig.jobs._process or 0)
    rig.dispatcher.beaten(0.0)
    assert (rig.source.buffered(), rig.source.lost, rig.dispatcher.fenced) == ([], 3, 3)


def test_nothing_is_handed_out_when_the_lease_may_have_passed(rig: JobRig, clock: Clock) -> None:
    rig.put(messages(1))
    rig.source._wanted = 1
    rig.dispatcher.round()
    rig.source._wanted = 0
    clock.advance(rig.jobs.lease)
    assert rig.source.take(1, timeout=0) is None
    rig.dispatcher.beaten(clock.seconds())
    assert rig.source.take(1, timeout=0) is not None


def test_what_comes_after_the_end_is_refused(rig: JobRig) -> None:
    rig.put(messages(2))
    delivery = claim(rig, 2)
    rig.source.finish(delivery, 1)
    rig.dispatcher.close()
    assert rig.dispatcher.sources == []
    rig.dispatcher.round()
    assert counts(rig) == (0, 1)
    rig.dispatcher.end()
    rig.source.finish(delivery, 2)
    assert (rig.source.lost, rig.source.stats().counters.finished) == (1, 1)


def test_a_write_that_fails_while_the_end_comes_is_told_of(
    rig: JobRig, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rig.put(messages(2))
    rig.source.finish(claim(rig, 2), 2)

    def late(_: Iterable[Settlement]) -> None:
        rig.dispatcher.end()
        raise Unavailable("it restarts")

    monkeypatch.setattr(rig.jobs, "settle", late)
    clock.advance(1)
    rig.dispatcher.round()
    assert (rig.source.lost, rig.dispatcher.idle) == (2, True)
    assert "2 results of consumer jobs were refused, the jobs are done again: the database was away" in caplog.text


def test_a_source_that_leaves_gives_back_what_no_worker_has(rig: JobRig, clock: Clock) -> None:
    rig.put(messages(3))
    rig.source._wanted = 3
    rig.dispatcher.round()
    rig.source._wanted = 0
    rig.dispatcher.detach(rig.source)
    rig.dispatcher.detach(rig.source)
    clock.advance(1)
    rig.dispatcher.round()
    assert counts(rig) == (3, 0)
    assert [job.attempt for job in rig.jobs.peek(QUEUE)] == [1, 1, 1]


@pytest.mark.parametrize("moved", [False, True])
def test_what_is_claimed_while_its_source_leaves_goes_back_at_once(
    rig: JobRig, clock: Clock, monkeypatch: pytest.MonkeyPatch, moved: bool
) -> None:
    claim, other = rig.jobs.claim, JobRig(clock.seconds)

    def late(*given: Any) -> list[Job]:
        found = claim(*given)
        rig.dispatcher.detach(rig.source)
        if moved:
            other.dispatcher.attach(rig.source)
        return found

    monkeypatch.setattr(rig.jobs, "claim", late)
    rig.put(messages(3))
    rig.source._wanted = 3
    rig.dispatcher.round()
    rig.source._wanted = 0
    assert rig.source.buffered() == []
    clock.advance(1)
    rig.dispatcher.round()
    assert (counts(rig), rig.jobs.in_hand, other.jobs.in_hand) == ((3, 0), [], [])
    other.end()


@pytest.mark.parametrize(("safe", "left"), [(True, 0), (False, 1)])
def test_a_job_is_finished_when_the_bus_has_what_it_published(rig: JobRig, clock: Clock, safe: bool, left: int) -> None:
    sent: list[Outgoing] = []

    def send(batch: Sequence[Outgoing]) -> None:
        sent.extend(batch)

    rig.source._send = send
    rig.put(messages(1))
    outbox = [Outgoing("bus", one) for one in messages(2)]
    rig.source.finish(claim(rig, 1), 1, outbox)
    clock.advance(1)
    rig.dispatcher.round()
    assert (counts(rig), rig.source.in_hand_of(rig.dispatcher)) == ((0, 1), 1)
    for outgoing, is_safe in zip(sent, (True, safe), strict=True):
        assert outgoing.sent is not None
        outgoing.sent(is_safe)
    clock.advance(1)
    rig.dispatcher.round()
    assert (sum(counts(rig)), rig.source.in_hand_of(rig.dispatcher)) == (left, 0)


def test_a_job_may_publish_so_much_that_no_other_is_claimed_before_it_is_sent(rig: JobRig) -> None:
    sent: list[Outgoing] = []
    rig.source._send = sent.extend
    rig.put(messages(3))
    rig.source.finish(claim(rig, 1), 1, [Outgoing("bus", one) for one in messages(MOST_UNSENT)])
    rig.source._wanted = 1
    assert rig.source.wants == 0
    for outgoing in sent:
        assert outgoing.sent is not None
        outgoing.sent(True)
    assert rig.source.wants == 1
    rig.source._wanted = 0


def test_after_the_outbox_has_refused_messages_no_job_is_claimed_for_a_while(rig: JobRig, clock: Clock) -> None:
    def refuse(batch: Sequence[Outgoing]) -> None:
        for outgoing in batch:
            assert outgoing.sent is not None
            outgoing.sent(False)

    rig.source._send = refuse
    rig.put(messages(3))
    for rest in (1.0, 2.0, 4.0):
        delivery = claim(rig, 2)
        rig.source.finish(delivery, 1, [Outgoing("bus", one) for one in messages(1)])
        rig.source.finish(delivery, 2, [Outgoing("bus", one) for one in messages(1)])
        rig.source._wanted = 1
        clock.advance(rest - 0.01)
        assert (rig.source.wants, rig.dispatcher.round()) == (0, module.IDLE)
        assert counts(rig) == (3, 0)
        assert rig.source.take(1, timeout=0) is None
        clock.advance(0.02)
        assert rig.source.wants > 0
        rig.source._wanted = 0
    assert [job.attempt for job in rig.jobs.peek(QUEUE)] == [1, 1, 1]


def test_a_pause_gives_back_what_no_worker_has(rig: JobRig, clock: Clock) -> None:
    rig.put(messages(2))
    rig.source._wanted = 2
    rig.dispatcher.round()
    rig.source.pause(True)
    clock.advance(1)
    rig.dispatcher.round()
    rig.source._wanted = 0
    assert counts(rig) == (2, 0)
    assert rig.source.take(1, timeout=0) is None
