"""The numbers of a queue that other programs work, too."""

from __future__ import annotations

from hub.job_database.numbers import JobNumbers, SettledSoFar
from hub.job_database.result import Outcome, Result
from hub.jobs import JobCounts
from tests.unit.job_database.job_values import job


def settled(numbers: JobNumbers, count: int, outcome: Outcome = "finished", failed: bool = False) -> None:
    numbers.unwritten += count
    numbers.settled([Result(job(), outcome, failed=failed)] * count)


def test_what_came_is_what_is_left_and_what_was_settled() -> None:
    numbers = JobNumbers()
    settled(numbers, 3)
    numbers.look(JobCounts(waiting=4, delayed=2, running=1, oldest=5.0), numbers.progress, 100.0)
    stats = numbers.stats(1)
    assert (stats.counters.received, stats.counters.backlog, stats.delayed, stats.in_flight) == (10, 7, 2, 1)
    assert stats.oldest_received_at == 95.0
    settled(numbers, 2)
    assert numbers.stats(0).counters.backlog == 5


def test_what_others_settle_is_counted_apart() -> None:
    numbers = JobNumbers()
    numbers.look(JobCounts(waiting=10), numbers.progress, 0.0)
    settled(numbers, 2)
    numbers.look(JobCounts(waiting=5), numbers.progress, 0.0)
    counters = numbers.stats(0).counters
    assert (counters.received, counters.finished, counters.elsewhere, counters.backlog) == (10, 2, 3, 5)
    numbers.look(JobCounts(waiting=9), numbers.progress, 0.0)
    counters = numbers.stats(0).counters
    assert (counters.received, counters.elsewhere, counters.backlog) == (14, 3, 9)


def test_what_is_settled_during_a_look_is_not_taken_for_somebody_elses() -> None:
    numbers = JobNumbers()
    numbers.look(JobCounts(waiting=10), numbers.progress, 0.0)
    before = numbers.progress
    settled(numbers, 4)  # the look may have seen any of these, or none
    for waiting in (10, 8, 6):
        numbers.look(JobCounts(waiting=waiting), before, 0.0)
        assert numbers.stats(0).counters.elsewhere == 0
    assert numbers.stats(0).counters.received == 10


def test_what_is_not_known_to_be_written_may_be() -> None:
    numbers = JobNumbers()
    numbers.look(JobCounts(waiting=2), numbers.progress, 0.0)
    numbers.unwritten += 2
    assert numbers.progress == SettledSoFar(0, 2)
    numbers.look(JobCounts(), SettledSoFar(0, 0), 0.0)
    assert numbers.stats(0).counters.elsewhere == 0
    numbers.refused(2, 1)
    numbers.look(JobCounts(), numbers.progress, 0.0)
    assert (numbers.stats(0).counters.elsewhere, numbers.lost) == (2, 1)


def test_each_outcome_has_its_count() -> None:
    numbers = JobNumbers()
    settled(numbers, 1, "retry", failed=True)
    settled(numbers, 1, "ask")
    settled(numbers, 1, "given back")
    settled(numbers, 1, "dead", failed=True)
    settled(numbers, 1, "dead")
    numbers.settled([Result(job(attempt=26), "retry", failed=True)])  # the library buries it
    counters = numbers.counters
    assert (counters.retried, counters.failed, counters.dead, counters.rejected) == (2, 3, 3, 1)


def test_another_queue_of_the_same_consumer_continues_the_counts() -> None:
    before, after = JobNumbers(), JobNumbers()
    before.look(JobCounts(waiting=10), before.progress, 0.0)
    settled(before, 4)
    after.follow(before)
    assert (after.counters.received, after.counters.finished, after.counters.backlog) == (10, 4, 0)
    after.look(JobCounts(waiting=3), after.progress, 0.0)
    assert (after.counters.received, after.counters.backlog) == (13, 3)
