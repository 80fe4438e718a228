"""The job queues of a backend: which database they are in, and their end."""

from __future__ import annotations

from typing import Any

import pytest

from hub.jobs import BadJob
from tests.unit.backends.stomp.job_bench import QUEUE, JobBench


@pytest.fixture
def bench() -> Any:
    bench = JobBench()
    yield bench
    bench.end()


def test_a_queue_is_in_the_database_that_is_named_or_in_the_only_one(bench: JobBench) -> None:
    assert bench.queues.find("main") is bench.queues.find(None) is bench.keeper
    assert bench.queues.find("other") is None
    assert bench.queues.open(QUEUE, "other").max_body is None
    assert bench.queues.open(QUEUE, None).max_body == 1000


def test_options_are_checked_and_reach_the_database(bench: JobBench) -> None:
    queue = bench.queues.open(QUEUE, None)
    with pytest.raises(BadJob, match="queue 'work': priority is a whole number from 0 to 9, not 10"):
        queue.check({"priority": 10})
    with pytest.raises(BadJob, match="unique without a key"):
        queue.check({"unique": "waiting"})
    said: dict[str, object] = {"priority": 7, "key": "k"}
    done: list[object] = []
    queue.put([(b"1", said), (b"2", said), (b"3", {})], done.append)
    assert bench.queues.waiting == 3
    bench.drive()
    assert [(job.body, job.priority, job.key) for job in bench.jobs.peek(QUEUE)] == [(b"1", 7, "k"), (b"3", 4, None)]
    assert (done, bench.queues.waiting) == ([None], 0)


def test_a_close_waits_for_what_is_not_inserted_but_not_for_a_database_that_is_away(bench: JobBench) -> None:
    queue = bench.queues.open(QUEUE, None)
    queue.reader(lambda: None)
    queue.put([(b"1", {})], lambda reason: None)
    (inserter,) = bench.queues._inserters.values()
    closed: list[bool] = []
    bench.queues.close(3.0).addCallback(closed.append)
    assert closed == []
    assert bench.rig.dispatcher.sources == []
    inserter.round()
    assert closed == [True]
    again = bench.queues.open(QUEUE, None)
    bench.keeper.away = True
    again.put([(b"2", {})], lambda reason: None)
    (inserter,) = bench.queues._inserters.values()
    inserter.round()
    assert "it restarts" not in again.away
    assert "the database restarts" in again.away
    bench.queues.close(3.0).addCallback(closed.append)
    assert closed == [True, True]


def test_a_close_takes_no_longer_than_it_may(bench: JobBench) -> None:
    queue = bench.queues.open(QUEUE, None)
    queue.put([(b"1", {})], lambda reason: None)
    closed: list[bool] = []
    bench.queues.close(3.0).addCallback(closed.append)
    bench.advance(3.1)
    assert closed == [False]
