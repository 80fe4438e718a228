"""The bench for consumers of jobs: it does what the hub does, and shows it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub import Consumer, Message, Reject, Retry
from hub.errors import ConfigError
from hub.jobs import JobState
from hub.testing.bench import Benches
from hub.testing.job_bench import JobBench


class Thumbnails(Consumer):
    """Works pictures; what it raises is told by the job."""

    queue = "thumbnails"
    worked: list[tuple[str, str, int]]

    def start(self) -> None:
        self.worked = []

    def consume(self, message: Message) -> None:
        body = message.json()
        attempt = int(message.headers["attempt"])
        self.worked.append((message.topic, body["path"], attempt))
        self.context.publish("org.thumbs", {"path": body["path"]})
        if attempt <= body.get("fails", 0):
            raise OSError("no such file")
        if body.get("verdict") == "reject":
            raise Reject("no picture")
        if body.get("verdict") == "retry" and len(self.worked) == 1:
            raise Retry("1h", "not now")


class Batches(Consumer):
    queue = "thumbnails"
    batch_size = 3
    sizes: list[int]

    def start(self) -> None:
        self.sizes = []

    def consume_batch(self, messages: Sequence[Message]) -> None:
        self.sizes.append(len(messages))


@pytest.fixture
def bench(hubbub: Benches) -> JobBench[Thumbnails]:
    return hubbub.jobs(Thumbnails)


def state(bench: JobBench[Thumbnails], number: int) -> tuple[JobState, int]:
    found = bench.jobs.find(number)
    assert found is not None
    return found.state, found.attempts


def test_jobs_are_worked_until_none_waits(bench: JobBench[Thumbnails]) -> None:
    handles = bench.jobs.insert_many("thumbnails", [{"path": "/a"}, {"path": "/b"}])
    other = bench.jobs.insert("other", 1)
    bench.run()
    assert bench.consumer.worked == [("thumbnails", "/a", 1), ("thumbnails", "/b", 1)]
    assert [state(bench, handle.id) for handle in handles] == [(JobState.FINISHED, 1)] * 2
    assert state(bench, other.id) == (JobState.WAITING, 0)
    assert [message.json() for message in bench.published] == [{"path": "/a"}, {"path": "/b"}]
    bench.run()
    assert len(bench.consumer.worked) == 2


def test_a_failure_is_tried_again_and_publishes_nothing(bench: JobBench[Thumbnails]) -> None:
    handle = bench.jobs.insert("thumbnails", {"path": "/a", "fails": 2})
    bench.run()
    assert state(bench, handle.id) == (JobState.DELAYED, 1)
    assert bench.published == []
    due = bench.jobs.due_in()
    assert due is not None
    bench.advance(due - 0.1)
    bench.run()
    assert len(bench.consumer.worked) == 1
    bench.advance(0.1)
    bench.run()
    assert len(bench.consumer.worked) == 2
    bench.run_to_the_end()
    assert state(bench, handle.id) == (JobState.FINISHED, 3)
    assert len(bench.published) == 1
    assert [error.attempt for error in bench.jobs.errors(handle)] == [1, 2]


def test_the_last_attempt_and_a_rejection_leave_dead_letters(bench: JobBench[Thumbnails]) -> None:
    bench.jobs.insert("thumbnails", {"path": "/a", "fails": 9}, max_retries=1)
    bench.jobs.insert("thumbnails", {"path": "/b", "verdict": "reject"})
    bench.run_to_the_end()
    rejected, failed = bench.jobs.peek("thumbnails", "dead")
    assert "no picture" in rejected.reason
    assert "no such file" in failed.reason
    assert bench.published == []


def test_another_attempt_that_was_asked_for_counts_none(bench: JobBench[Thumbnails]) -> None:
    handle = bench.jobs.insert("thumbnails", {"path": "/a", "verdict": "retry"})
    bench.run()
    assert state(bench, handle.id) == (JobState.DELAYED, 0)
    assert bench.jobs.due_in() == 3600.0
    bench.run_to_the_end()
    assert [attempt for _, _, attempt in bench.consumer.worked] == [1, 1]


def test_batches_are_batches(hubbub: Benches) -> None:
    bench = hubbub.jobs(Batches)
    bench.jobs.insert_many("thumbnails", range(7))
    bench.run()
    assert bench.consumer.sizes == [3, 3, 1]
    assert bench.jobs.counts() == {}


def test_what_does_not_end_is_told(hubbub: Benches, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(Consumer):
        queue = "q"

        def consume(self, message: Message) -> None:
            raise Retry(1)

    monkeypatch.setattr("hub.testing.job_bench.MOST_ROUNDS", 5)
    bench = hubbub.jobs(Endless)
    bench.jobs.insert("q", 1)
    with pytest.raises(AssertionError, match="endless is not done after 5 rounds"):
        bench.run_to_the_end()


def test_each_kind_of_consumer_has_its_bench(hubbub: Benches) -> None:
    class Messages(Consumer):
        def consume(self, message: Message) -> None:
            pass

    with pytest.raises(ConfigError, match=r"works jobs: hubbub\.jobs\(Thumbnails\) makes its bench"):
        hubbub(Thumbnails)
    with pytest.raises(ConfigError, match="works messages"):
        hubbub.jobs(Messages)
    assert hubbub.jobs(Messages, queue="q").jobs.counts() == {}
