"""Jobs dealt out to the subscriptions of STOMP clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.backends.stomp.bench import Line, subscribe
from tests.unit.backends.stomp.job_bench import DESTINATION, QUEUE, JobBench


@pytest.fixture
def bench() -> Iterator[JobBench]:
    bench = JobBench()
    yield bench
    bench.end()


def worker(bench: JobBench, ack: str = "client-individual", **headers: str) -> Line:
    return subscribe(bench, ack, destination=DESTINATION, **headers)


def test_subscriptions_share_the_jobs_evenly_as_far_as_their_credit_goes(bench: JobBench) -> None:
    first, second = worker(bench, prefetch_count="4"), worker(bench, prefetch_count="2")
    bench.jobs.insert_many(QUEUE, range(10))
    assert bench.states() == (4, 0, 6, 0)
    assert (len(first.messages()), len(second.messages())) == (4, 2)


def test_an_ack_finishes_and_makes_room(bench: JobBench) -> None:
    line = worker(bench, prefetch_count="1")
    bench.jobs.insert_many(QUEUE, range(2))
    bench.drive()
    (message,) = line.messages()
    line.do("ACK", id=message.headers["ack"])
    assert bench.states() == (0, 0, 1, 0)
    assert line.bodies() == ["1"]
    assert bench.broker.counters.acked == 1


def test_auto_finishes_what_is_sent(bench: JobBench) -> None:
    line = worker(bench, "auto")
    bench.jobs.insert_many(QUEUE, range(30))
    for _ in range(3):
        bench.drive()
    assert bench.states() == (0, 0, 0, 0)
    assert len(line.messages()) == 30


def test_a_nack_has_the_backoff_of_the_database_and_its_number_of_attempts(bench: JobBench) -> None:
    line = worker(bench)
    bench.jobs.insert(QUEUE, 1)
    bench.jobs.insert(QUEUE, 2, max_retries=0)
    bench.drive()
    for message in line.messages():
        line.do("NACK", id=message.headers["ack"])
    assert bench.states() == (0, 1, 0, 1)
    assert bench.broker.counters.nacked == 2


def test_a_lost_client_costs_the_first_job_an_attempt(bench: JobBench) -> None:
    bench.jobs.insert_many(QUEUE, range(3))
    line = worker(bench)
    bench.drive()
    assert len(line.messages()) == 3
    line.hang_up()
    assert bench.states() == (3, 0, 0, 0)
    again = worker(bench)
    bench.drive()
    assert {one.body.decode(): one.headers["attempt"] for one in again.messages()} == {"0": "2", "1": "1", "2": "1"}


def test_unsubscribe_gives_back_and_a_late_ack_is_counted(bench: JobBench) -> None:
    bench.jobs.insert(QUEUE, 0)
    line = worker(bench)
    bench.drive()
    (message,) = line.messages()
    line.do("UNSUBSCRIBE", id="s")
    assert bench.states() == (1, 0, 0, 0)
    line.do("ACK", id=message.headers["ack"])
    assert (bench.states(), bench.broker.counters.late_acks) == ((1, 0, 0, 0), 1)


def test_a_client_that_does_not_read_has_no_more_in_hand_than_it_was_sent(bench: JobBench) -> None:
    line = worker(bench)
    line.session.blocked()
    bench.jobs.insert_many(QUEUE, range(3))
    assert bench.states() == (3, 0, 0, 0)
    line.session.writable()
    assert bench.states() == (0, 0, 3, 0)


def test_the_ack_of_a_job_that_is_another_hubs_by_now_is_refused_and_counted(bench: JobBench) -> None:
    bench.jobs.insert(QUEUE, 0)
    line = worker(bench)
    bench.drive()
    (message,) = line.messages()
    bench.jobs._forget(bench.jobs._process or 0)  # its lease had passed
    line.do("ACK", id=message.headers["ack"])
    bench.drive()
    assert bench.rig.dispatcher.fenced == 1
