"""One worker: what consume() may say, and what becomes of the message."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.deadletter import TRACEBACK_LIMIT
from hub.errors import Reject, Retry
from hub.message import Message
from hub.workers.worker import MOST_AT_ONCE, REPORT_EVERY
from tests.unit.doubles import Bench, Scripted, message, messages

ANYTHING = [ValueError, SystemExit, KeyboardInterrupt, MemoryError, GeneratorExit, RecursionError]


def scripted(bench: Bench, **script: list[BaseException]) -> Bench:
    bench.consumer.script = {name.removeprefix("m"): errors for name, errors in script.items()}
    return bench


def test_returning_finishes_a_message() -> None:
    bench = Bench()
    bench.offer(*messages(3))
    bench.run()
    counters = bench.queue.stats().counters
    assert bench.consumer.seen == ["0", "1", "2"]
    assert (counters.finished, counters.backlog, counters.failed) == (3, 0, 0)


def test_a_retry_comes_again_when_the_consumer_said_and_others_pass() -> None:
    bench = scripted(Bench(max_attempts=1), m0=[Retry(delay=60.0), Retry(delay=60.0)])
    bench.offer(*messages(2))
    bench.run()
    bench.clock.advance(59.0)
    bench.run()
    assert bench.consumer.seen == ["0", "1"]
    bench.clock.advance(1.0)
    bench.run()
    bench.clock.advance(60.0)
    bench.run()
    counters = bench.queue.stats().counters
    assert bench.consumer.seen == ["0", "1", "0", "0"]
    assert bench.worker.last_failure is not None
    assert bench.worker.last_failure.error == "Retry"
    assert (counters.retried, counters.failed, counters.dead, counters.finished) == (2, 0, 0, 2)
    assert (counters.asked, counters.rejected) == (2, 0)


def test_a_retry_without_a_delay_takes_the_consumers_backoff() -> None:
    bench = scripted(Bench(backoff=8.0), m0=[Retry()])
    bench.offer(message(0))
    bench.run()
    bench.clock.advance(7.9)
    bench.run()
    assert bench.consumer.seen == ["0"]
    bench.clock.advance(0.1)
    bench.run()
    assert bench.consumer.seen == ["0", "0"]


def test_a_rejected_message_is_a_dead_letter_at_once_with_its_reason() -> None:
    bench = scripted(Bench(), m0=[Reject("no such user")])
    bench.clock.advance(1000.0)
    bench.offer(message(0))
    bench.run()
    (letter,) = bench.store.dead_letters("test")
    assert (letter.reason, letter.attempts, letter.buried_at) == ("no such user", 1, 1000.0)
    assert (letter.error, letter.traceback) == ("Reject", "")
    counters = bench.queue.stats().counters
    assert (counters.dead, counters.failed) == (1, 0)


@pytest.mark.parametrize("error", ANYTHING)
@pytest.mark.parametrize("max_attempts", [1, 2, 5])
def test_any_exception_is_tried_exactly_max_attempts_times(error: type[BaseException], max_attempts: int) -> None:
    bench = scripted(Bench(max_attempts=max_attempts), m0=[error("boom") for _ in range(9)])
    bench.offer(*messages(2))
    bench.run_to_the_end()
    (letter,) = bench.store.dead_letters("test")
    counters = bench.queue.stats().counters
    assert bench.consumer.seen.count("0") == letter.attempts == counters.failed == max_attempts
    assert (counters.retried, counters.dead, counters.finished) == (max_attempts - 1, 1, 1)
    assert letter.error == error.__name__


def test_a_message_that_fails_at_first_is_finished_in_the_end() -> None:
    bench = scripted(Bench(max_attempts=3), m0=[KeyError("a"), KeyError("b")])
    bench.offer(message(0))
    bench.run_to_the_end()
    counters = bench.queue.stats().counters
    assert (counters.finished, counters.failed, counters.retried, counters.dead) == (1, 2, 2, 0)


def test_the_traceback_is_in_the_dead_letter() -> None:
    bench = scripted(Bench(max_attempts=1), m0=[ZeroDivisionError("in the consumer")])
    bench.offer(message(0))
    bench.run()
    (letter,) = bench.store.dead_letters("test")
    assert letter.traceback.startswith("Traceback")
    assert "doubles.py" in letter.traceback
    assert letter.traceback.endswith("ZeroDivisionError: in the consumer\n")


def test_of_a_long_traceback_the_end_is_kept() -> None:
    bench = scripted(Bench(max_attempts=1), m0=[ValueError("x" * 2 * TRACEBACK_LIMIT + "the end")])
    bench.offer(message(0))
    bench.run()
    (letter,) = bench.store.dead_letters("test")
    assert len(letter.traceback) == TRACEBACK_LIMIT
    assert letter.traceback.endswith("the end\n")


def test_every_verdict_is_a_line_in_the_log_that_names_the_message() -> None:
    bench = scripted(Bench(max_attempts=2), m0=[KeyError("k"), KeyError("k")], m1=[Retry(1.0)], m2=[Reject("no")])
    bench.offer(*messages(3))
    bench.run_to_the_end()
    said = [(r.levelname, r.action, r.message_id, r.attempt) for r in bench.log.records]  # type: ignore[attr-defined]
    assert said == [
        ("WARNING", "retry", "0", 1),
        ("INFO", "retry", "1", 1),
        ("ERROR", "bury", "2", 1),
        ("ERROR", "bury", "0", 2),
    ]


def test_in_strict_order_nothing_passes_a_message_that_failed() -> None:
    bench = scripted(Bench(key_of=lambda _: None), m1=[KeyError("x")])
    bench.offer(*messages(4))
    bench.run_to_the_end()
    assert bench.consumer.seen == ["0", "1", "1", "2", "3"]


def test_in_strict_order_a_dead_letter_lets_the_next_go_on() -> None:
    bench = scripted(Bench(key_of=lambda _: None, max_attempts=1), m1=[KeyError("x")])
    bench.offer(*messages(4))
    bench.run()
    assert bench.consumer.seen == ["0", "1", "2", "3"]


# -- stopping


def test_stopped_in_mid_run_it_finishes_the_one_in_hand_and_gives_back_the_rest() -> None:
    bench = Bench()
    bench.worker._limit = 9
    bench.consumer.on_consume = lambda m: bench.worker.stop() if m.id == "1" else None
    bench.offer(*messages(5))
    bench.worker.run()
    stats = bench.queue.stats()
    assert bench.consumer.seen == ["0", "1"]
    assert (stats.counters.finished, stats.counters.backlog, stats.in_flight) == (2, 3, 0)
    assert stats.counters.retried == 0
    again = bench.queue.take(9, timeout=0)
    assert again is not None
    assert (again.messages[0].id, again.attempts) == ("2", 0)


def test_stopped_while_the_one_in_hand_fails_it_is_retried_and_the_rest_given_back() -> None:
    bench = scripted(Bench(), m1=[KeyError("x")])
    bench.worker._limit = 9
    bench.consumer.on_consume = lambda m: bench.worker.stop() if m.id == "1" else None
    bench.offer(*messages(4))
    bench.worker.run()
    counters = bench.queue.stats().counters
    assert (counters.finished, counters.failed, counters.backlog) == (1, 1, 3)


def test_another_worker_goes_on_where_a_stopped_one_left() -> None:
    bench = Bench()
    bench.worker._limit = 9
    bench.consumer.on_consume = lambda m: bench.worker.stop()
    bench.offer(*messages(4))
    bench.worker.run()
    bench.worker = bench.another()
    bench.run()
    assert bench.consumer.seen == ["0", "1", "2", "3"]


def test_run_ends_when_the_queue_is_closed() -> None:
    bench = Bench()
    bench.offer(*messages(2))
    bench.consumer.on_consume = lambda _: bench.queue.close()
    bench.worker.run()
    assert bench.queue.stats().counters.finished == 1


# -- how much at once


def slow(bench: Bench, seconds: float) -> Callable[[Message], object]:
    return lambda _: bench.clock.advance(seconds)


def taken_at_once(bench: Bench) -> int:
    """How many the worker takes, at its next step."""
    most = 0

    def look(_: Message) -> None:
        nonlocal most
        assert bench.worker.delivery is not None
        most = len(bench.worker.delivery.messages)

    before, bench.consumer.on_consume = bench.consumer.on_consume, look
    bench.worker.step(0)
    bench.consumer.on_consume = before
    return most


def test_a_fast_consumer_takes_more_and_more_at_once_up_to_a_limit() -> None:
    bench = Bench()
    bench.offer(*messages(4 * MOST_AT_ONCE))
    assert [taken_at_once(bench) for _ in range(4)] == [1, 2, 4, 8]
    for _ in range(6):
        bench.worker.step(0)
    assert taken_at_once(bench) == MOST_AT_ONCE


def test_a_slow_consumer_takes_one_at_a_time() -> None:
    bench = Bench()
    bench.consumer.on_consume = slow(bench, 1.0)
    bench.offer(*messages(5))
    bench.worker.step(0)
    bench.worker.step(0)
    assert taken_at_once(bench) == 1


@pytest.mark.parametrize("seconds", [REPORT_EVERY, 1.0])
def test_a_consumer_that_becomes_slow_takes_one_at_a_time_again(seconds: float) -> None:
    bench = Bench()
    bench.worker._limit = 64
    bench.consumer.on_consume = slow(bench, seconds)
    bench.offer(*messages(80))
    bench.worker.step(0)
    assert taken_at_once(bench) == 1


def test_a_run_takes_no_longer_than_may_go_unreported() -> None:
    bench = Bench()
    bench.worker._limit = 64
    bench.consumer.on_consume = slow(bench, REPORT_EVERY / 10)
    bench.offer(*messages(64 + 20))
    bench.worker.step(0)
    assert taken_at_once(bench) in (9, 10)


def test_progress_within_a_run_shows_before_it_is_reported() -> None:
    bench = Bench()
    bench.worker._limit = 9
    finished: list[int] = []
    bench.consumer.on_consume = lambda _: finished.append(bench.queue.stats().counters.finished)
    bench.offer(*messages(4))
    bench.worker.step(0)
    assert finished == [0, 1, 2, 3]


# -- what it measures


def test_times_and_ages_are_counted_for_every_message() -> None:
    bench = Bench()
    bench.consumer.on_consume = slow(bench, 2.0)
    bench.offer(*messages(3))
    bench.run()
    assert sum(bench.worker.consume_times.counts) == 3
    assert sum(bench.worker.ages.counts) == 3


def test_since_tells_when_the_message_in_hand_was_begun() -> None:
    bench = Bench()
    begun: list[float] = []

    def note(_: Message) -> None:
        begun.append(bench.worker.since)
        bench.clock.advance(2.0)

    bench.worker._limit = 9
    bench.consumer.on_consume = note
    bench.clock.advance(100.0)
    bench.offer(*messages(3))
    bench.worker.step(0)
    assert begun == [100.0, 102.0, 104.0]


def test_since_is_never_older_than_what_is_in_hand() -> None:
    """Or the supervisor would report a message as stuck that was just begun."""
    bench = Bench()
    bench.offer(message(0))
    bench.clock.advance(1000.0)
    seen: list[float] = []
    bench.around = type(bench.around)(lambda: note(), bench.clock.seconds, bench.around.uniform)
    bench.worker = bench.another()

    def note() -> float:
        if bench.worker.delivery is not None:
            seen.append(bench.worker.since)
        return bench.clock.seconds()

    bench.worker.step(0)
    assert set(seen) == {1000.0}


# -- a thread that died


def test_abandoned_the_message_in_hand_has_failed_and_the_others_are_given_back() -> None:
    bench = Bench(Scripted())
    bench.offer(*messages(4))
    taken = bench.queue.take(9, timeout=0)
    assert taken is not None
    bench.worker.delivery, taken.at = taken, 1
    bench.worker.abandon()
    counters = bench.queue.stats().counters
    assert (counters.finished, counters.failed, counters.retried, counters.backlog) == (1, 1, 1, 3)
    bench.worker = bench.another()
    bench.run_to_the_end()
    assert bench.consumer.seen == ["2", "3", "1"]


def test_abandoned_again_and_again_a_message_is_a_dead_letter() -> None:
    bench = Bench(max_attempts=2)
    bench.offer(message(0))
    for _ in range(2):
        bench.worker.delivery = bench.queue.take(1, timeout=0)
        bench.worker.abandon()
        bench.clock.advance(300.0)
    (letter,) = bench.store.dead_letters("test")
    assert "thread that handled it died" in letter.traceback


def test_what_was_abandoned_is_in_no_hand_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub that is killed later must not suspect it."""
    bench = Bench()
    drops: list[bool] = []
    monkeypatch.setattr(bench.store, "drop", lambda: drops.append(True))
    bench.offer(message(0))
    bench.worker.delivery = bench.queue.take(1, timeout=0)
    bench.worker.abandon()
    assert drops == [True]
    assert bench.worker.delivery is None


def test_a_worker_with_nothing_in_hand_has_nothing_to_abandon() -> None:
    bench = Bench()
    bench.worker.abandon()
    assert bench.queue.stats().counters.failed == 0
