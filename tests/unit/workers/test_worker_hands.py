"""What a worker has in hand and has not begun, given back to the other threads while it is at work."""

from __future__ import annotations

import sys
import threading
from collections import Counter

import pytest

from hub.errors import Retry
from hub.message import Message
from hub.workers.worker import Worker
from tests.unit.doubles import Bench, ScriptedBatches, message, messages


def run_beside(bench: Bench) -> None:
    """Another worker of the same queue, until there is nothing left for it."""
    other = bench.another()
    while other.step(0):
        pass


def given_back_at(bench: Bench, number: str) -> Bench:
    """While it consumes that message, the rest of its hand is given back, and another worker goes on."""

    def give_back(one: Message) -> None:
        if one.id == number and bench.consumer.seen.count(number) == 1:
            bench.worker.give_back_rest()
            run_beside(bench)

    bench.worker._limit = 9
    bench.consumer.on_consume = give_back
    return bench


def test_others_go_on_with_what_was_not_begun_and_nothing_comes_twice() -> None:
    bench = given_back_at(Bench(), "1")
    bench.offer(*messages(6))
    bench.run()
    stats = bench.queue.stats()
    assert bench.consumer.seen == ["0", "1", "2", "3", "4", "5"]
    assert (stats.counters.finished, stats.counters.backlog, stats.in_flight) == (6, 0, 0)


def test_one_that_fails_after_that_is_retried_alone() -> None:
    bench = given_back_at(Bench(), "1")
    bench.consumer.script = {"1": [KeyError("x")]}
    bench.offer(*messages(4))
    bench.run_to_the_end()
    assert bench.consumer.seen == ["0", "1", "2", "3", "1"]
    assert bench.queue.stats().counters.failed == 1


def test_what_was_tried_before_keeps_its_attempts() -> None:
    bench = Bench()
    bench.consumer.script = {str(number): [Retry(5)] for number in range(4)}
    bench.offer(*messages(4))
    bench.run()
    given_back_at(bench, "none")

    def give_back(one: Message) -> None:
        if one.id == "0":
            bench.worker.give_back_rest()
            place = bench.queue.inspect.state_of(1)
            assert (place.kind, place.attempts) == ("waiting", 1)

    bench.consumer.on_consume = give_back
    bench.clock.advance(5.0)
    bench.run()
    assert bench.queue.stats().counters.finished == 4


def test_what_is_in_a_lane_stays_for_it_must_not_pass() -> None:
    bench = given_back_at(Bench(key_of=lambda _: None), "1")
    bench.offer(*messages(4))
    bench.run()
    assert bench.consumer.seen == ["0", "1", "2", "3"]
    assert bench.queue.stats().counters.finished == 4


def test_a_batch_is_begun_as_a_whole_and_stays_whatever_was_in_hand_before() -> None:
    consumer = ScriptedBatches()
    consumer.script = {"0": [KeyError("x"), KeyError("x")]}
    bench = Bench(consumer, batch_size=6)
    consumer.on_consume = lambda one: bench.worker.stop() if one.id == "1" and len(consumer.batches) == 3 else None
    bench.offer(*messages(6))
    bench.worker.step(0)  # split, and left in the midst
    bench.worker._stopping = False
    consumer.on_consume = lambda _: bench.worker.give_back_rest()
    bench.offer(*[message(number) for number in range(6, 12)])
    bench.run_to_the_end()
    assert sorted(Counter(one for batch in consumer.batches for one in batch if int(one) > 5).values()) == [1] * 6
    assert bench.queue.stats().counters.finished == 12


def test_given_back_before_the_first_is_begun_all_come_again_and_none_counts_as_finished() -> None:
    """The supervisor takes the rest at any moment, also between the taking and the first message."""
    bench = Bench()
    bench.offer(*messages(3))
    bench.worker._limit = 9
    bench.worker._each = lambda delivery: iter(())  # type: ignore[method-assign]
    bench.worker.step(0)
    counters = bench.queue.stats().counters
    assert (bench.consumer.seen, counters.finished, counters.backlog) == ([], 0, 3)
    bench.worker = bench.another()
    bench.run()
    assert (bench.consumer.seen, bench.queue.stats().counters.finished) == (["0", "1", "2"], 3)


def test_of_an_idle_worker_there_is_nothing_to_give_back() -> None:
    bench = Bench()
    bench.worker.give_back_rest()
    bench.offer(*messages(2))
    bench.run()
    bench.worker.give_back_rest()
    assert bench.queue.stats().counters.finished == 2


def test_an_idle_worker_keeps_no_message() -> None:
    bench = Bench()
    bench.consumer.on_consume = lambda _: None
    body = b"large" * 10
    bench.offer(message(0), message(1, body=body))
    held = sys.getrefcount(body)
    bench.run()
    assert bench.queue.stats().counters.finished == 2
    assert sys.getrefcount(body) == held - 1


def test_between_threads_each_message_is_given_exactly_once() -> None:
    bench, count = Bench(), 20_000
    seen: list[str] = []
    bench.consumer.on_consume = lambda one: seen.append(one.id)
    workers = [bench.worker, bench.another(), bench.another()]
    over = threading.Event()
    bench.offer(*messages(count))

    def work(worker: Worker) -> None:
        while worker.step(0) or bench.queue.stats().counters.backlog:
            pass

    def take_away() -> None:
        while not over.is_set():
            for worker in workers:
                worker.give_back_rest()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    thief = threading.Thread(target=take_away)
    for thread in (*threads, thief):
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    over.set()
    thief.join(10)
    stats = bench.queue.stats()
    assert (stats.counters.finished, stats.counters.backlog, stats.in_flight) == (count, 0, 0)
    assert len(seen) == count == len(set(seen))


# -- the slot, in which it notes what the hub would be killed with


class RecordingSlot:
    """Remembers which positions were noted."""

    def __init__(self) -> None:
        self.noted: list[tuple[int, int] | None] = []

    def hold(self, start: int, stop: int) -> None:
        self.noted.append((start, stop))

    def drop(self) -> None:
        self.noted.append(None)


def noted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int] | None]:
    slot = RecordingSlot()
    monkeypatch.setattr(bench.queue, "slot", lambda: slot)
    bench.worker = bench.another()
    bench.worker._limit = 9
    return slot.noted


def test_a_run_without_gaps_is_noted_once_and_no_more_once_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    held = noted(bench, monkeypatch)
    bench.offer(*messages(4))
    bench.worker.step(0)
    assert held == [(0, 4), None]


def test_in_a_run_with_gaps_each_message_is_noted_when_it_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in a gap is in no hand here, and the first of the run is not in hand any more."""
    bench = Bench()
    bench.consumer.script = {"0": [Retry(5)], "2": [Retry(5)], "3": [Retry(5)]}
    bench.offer(*messages(4))
    bench.run()
    held = noted(bench, monkeypatch)
    bench.clock.advance(5.0)
    bench.worker.step(0)
    assert bench.consumer.seen[-3:] == ["0", "2", "3"]
    assert held == [(0, 1), (0, 1), (2, 3), (3, 4), None]


def test_of_a_batch_with_gaps_what_lies_before_the_first_gap_is_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(ScriptedBatches(), batch_size=9)
    bench.offer(*messages(6))
    taken = bench.queue.take(9, timeout=0)
    assert taken is not None
    for position in range(6):
        if position in (0, 1, 3, 5):
            bench.queue.retry(taken, 5.0, failed=False)
        else:
            bench.queue.finish(taken, position + 1)
    held = noted(bench, monkeypatch)
    bench.clock.advance(5.0)
    bench.worker.step(0)
    assert held == [(0, 2), None]
