"""SEND to a queue of jobs, and what becomes of it while the database is away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hub.job_database import inserter
from hub.message import Message
from tests.unit.backends.stomp.bench import frame, send, subscribe
from tests.unit.backends.stomp.job_bench import DESTINATION, MOST_BODY, QUEUE, JobBench


@pytest.fixture
def make() -> Iterator[Callable[..., JobBench]]:
    made: list[JobBench] = []

    def new(**settings: Any) -> JobBench:
        made.append(JobBench(**settings))
        return made[-1]

    yield new
    for bench in made:
        bench.end()


def bodies(bench: JobBench) -> list[bytes]:
    return [job.body for job in bench.jobs.peek(QUEUE)]


def test_a_receipt_comes_after_the_commit(make: Callable[..., JobBench]) -> None:
    bench = make()
    line = bench.line()
    line.write(*send(DESTINATION, 1, 2, receipt="r"))
    assert line.receipts() == []
    bench.drive()
    assert line.receipts() == ["r", "r"]
    assert bodies(bench) == [b"1", b"2"]
    assert bench.broker.counters.received == 2


def test_the_headers_of_each_send_are_those_of_its_job(make: Callable[..., JobBench]) -> None:
    bench = make()
    line = bench.line()
    line.write(*send(DESTINATION, 1, priority="9"), *send(DESTINATION, 2, key="k"), *send(DESTINATION, 3, key="k"))
    bench.drive()
    assert [(job.body, job.priority, job.key) for job in bench.jobs.peek(QUEUE)] == [(b"1", 9, None), (b"2", 4, "k")]


def test_what_was_sent_waits_while_the_database_is_away(make: Callable[..., JobBench]) -> None:
    bench = make(max_held=3)
    bench.keeper.away = True
    line = bench.line()
    line.write(*send(DESTINATION, 1, 2, receipt="r"))
    bench.drive()
    line.write(*send(DESTINATION, 3))
    assert bench.broker.jobs.waiting == 3
    assert line.receipts() == []
    line.write(*send(DESTINATION, 4, receipt="x"))
    bench.advance(5)
    assert line.error() == (
        "503: /queue/work takes no jobs now: Unavailable: the database restarts, and too many wait: send it again later"
    )
    bench.keeper.away = False
    bench.drive()
    assert bodies(bench) == [b"1", b"2", b"3"]


def test_or_it_is_refused(make: Callable[..., JobBench]) -> None:
    bench = make(when_held="refuse")
    bench.keeper.away = True
    line, other = bench.line(), bench.line()
    line.write(*send(DESTINATION, 1))
    bench.drive()
    other.write(*send(DESTINATION, 2))
    assert other.error() == (
        "503: /queue/work takes no jobs now: Unavailable: the database restarts: send it again later"
    )


def test_a_client_that_is_faster_than_the_database_is_not_read(
    make: Callable[..., JobBench], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inserter, "MOST_WAITING", 2)
    bench = make()
    line, worker = bench.line(), bench.line()
    line.write(*send(DESTINATION, 1, 2))
    worker.write(*send("/queue/other", 1))
    assert (line.paused, worker.paused) == (True, False)
    bench.drive()
    assert not line.paused


def test_a_body_has_the_bound_of_the_database(make: Callable[..., JobBench]) -> None:
    line = make().line()
    line.write(*send(DESTINATION, "x" * (MOST_BODY + 1)))
    assert line.error() == "a job of /queue/work has 1001 bytes: at most 1000 are allowed"


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"key": "k", "unique": "often"}, "queue 'work': unique is one of waiting, unfinished"),
        ({"coalesce": ""}, "queue 'work': coalesce is a text that is not empty"),
        ({"expiration": "1"}, "expiration is not supported for jobs"),
    ],
)
def test_what_a_job_can_not_be_is_an_error(make: Callable[..., JobBench], headers: dict[str, str], text: str) -> None:
    bench = make()
    line = bench.line()
    line.write(*send(DESTINATION, 1, **headers))
    assert text in line.error()
    assert bench.states() == (0, 0, 0, 0)


def test_a_job_that_fails_at_the_insertion_is_told_to_its_sender(make: Callable[..., JobBench]) -> None:
    bench = make()

    def fail(jobs: object) -> None:
        raise KeyError("a fault")

    bench.keeper.insert = fail
    line = bench.line()
    line.write(*send(DESTINATION, 1, receipt="r"))
    bench.drive()
    assert "can't be inserted: KeyError: 'a fault'" in line.error()


def test_a_transaction_settles_when_all_its_messages_are_safe(make: Callable[..., JobBench]) -> None:
    bench = make()
    bench.jobs.insert(QUEUE, 1)
    worker = subscribe(bench, destination=DESTINATION, prefetch_count="1")
    bench.drive()
    (message,) = worker.messages()
    bench.keeper.away = True
    worker.write(
        frame("BEGIN", transaction="t"),
        *send(DESTINATION, 2, transaction="t"),
        frame("ACK", id=message.headers["ack"], transaction="t"),
        frame("COMMIT", transaction="t", receipt="r"),
    )
    assert bench.states() == (0, 0, 1, 0)
    assert worker.receipts() == []
    bench.keeper.away = False
    bench.drive()
    assert [one.command for one in worker.frames()] == ["RECEIPT", "MESSAGE"]


def test_the_hub_itself_may_publish_a_job(make: Callable[..., JobBench]) -> None:
    bench = make()
    done: list[object] = []
    bench.broker.publish(Message("1", DESTINATION, b"a", {"priority": "7"}, 0.0, "")).addBoth(done.append)
    assert done == []
    bench.drive()
    assert done == [None]
    assert [(job.body, job.priority) for job in bench.jobs.peek(QUEUE)] == [(b"a", 7)]


@pytest.mark.parametrize(
    ("destination", "more", "text"),
    [
        ("/queue/DLQ.work", {}, "/queue/DLQ.work: dead letters of jobs are in their database: hubbub job peek work"),
        (DESTINATION, {"selector": "a = 1"}, "a selector on jobs is not supported"),
    ],
)
def test_what_jobs_have_not_is_an_error(
    make: Callable[..., JobBench], destination: str, more: dict[str, str], text: str
) -> None:
    line = make().line()
    line.do("SUBSCRIBE", id="s", destination=destination, **more)
    assert text in line.error()
