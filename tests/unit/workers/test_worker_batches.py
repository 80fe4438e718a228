"""One worker whose consumer takes batches."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.errors import Reject, Retry
from hub.message import Message
from hub.stats.histogram import Histogram
from hub.workers.worker import LONGEST_PAUSE, REPORT_EVERY
from tests.unit.doubles import Bench, ScriptedBatches, message, messages, offer
from tests.unit.workers.test_worker import ANYTHING


def bench_of(batch_size: int = 10, **script: list[BaseException]) -> tuple[Bench, ScriptedBatches]:
    consumer = ScriptedBatches()
    consumer.script = {name.removeprefix("m"): errors for name, errors in script.items()}
    return Bench(consumer, batch_size=batch_size), consumer


def test_a_batch_that_returns_is_finished() -> None:
    bench, consumer = bench_of(3)
    bench.offer(*messages(5))
    bench.run()
    assert consumer.batches == [["0", "1", "2"], ["3", "4"]]
    assert bench.queue.stats().counters.finished == 5


def test_a_batch_is_filled_across_the_turns_of_the_bus() -> None:
    bench, consumer = bench_of(3)
    for number in range(5):
        bench.offer(message(number))
    bench.run()
    assert consumer.batches == [["0", "1", "2"], ["3", "4"]]


def test_a_retry_of_a_batch_retries_all_of_it_and_is_no_failure() -> None:
    bench, consumer = bench_of(m1=[Retry(5.0)])
    bench.offer(*messages(3))
    bench.run()
    assert consumer.batches == [["0", "1", "2"]]
    assert bench.worker.last_failure is not None
    assert (bench.worker.last_failure.error, bench.worker.last_failure.message_id) == ("Retry", "0")
    bench.clock.advance(5.0)
    bench.run()
    counters = bench.queue.stats().counters
    assert consumer.batches[1:] == [["0", "1", "2"]]
    assert (counters.retried, counters.failed, counters.finished) == (3, 0, 3)


def test_a_worker_that_pauses_after_a_batch_is_woken_by_the_stop() -> None:
    bench, consumer = bench_of(m1=[Retry(5000.0)])
    bench.offer(*messages(3))
    bench.run()
    bench.worker.stop()
    assert not bench.worker.step(None)
    assert len(consumer.batches) == 1


def test_the_pause_after_batches_grows_up_to_half_a_minute() -> None:
    bench, consumer = bench_of(m1=[Retry() for _ in range(9)])
    bench.offer(*messages(3))
    pauses = []
    for _ in range(8):
        bench.run()
        before = bench.clock.seconds()
        count = len(consumer.batches)
        while len(consumer.batches) == count:
            bench.clock.advance(1.0)
            bench.run()
        pauses.append(bench.clock.seconds() - before)
    assert pauses == [1, 2, 4, 8, 16, LONGEST_PAUSE, LONGEST_PAUSE, LONGEST_PAUSE]


def test_after_a_retry_of_a_batch_the_worker_takes_no_other_until_it_is_due() -> None:
    bench, consumer = bench_of(m1=[Retry(5.0)])
    bench.offer(*messages(3))
    bench.run()
    bench.offer(message(3))
    bench.clock.advance(4.9)
    bench.run()
    assert len(consumer.batches) == 1
    bench.clock.advance(0.2)
    bench.run()
    assert consumer.batches[1:] == [["0", "1", "2"], ["3"]]


def test_a_poison_message_does_not_take_its_batch_with_it() -> None:
    bench, consumer = bench_of(m1=[KeyError("x")] * 9)
    bench.offer(*messages(3))
    bench.run_to_the_end()
    counters = bench.queue.stats().counters
    assert consumer.batches == [["0", "1", "2"], ["0"], ["1"], ["2"], ["1"], ["1"]]
    assert (counters.finished, counters.dead, counters.failed) == (2, 1, 3)
    assert [letter.message.id for letter in bench.store.dead_letters("test")] == ["1"]


@pytest.mark.parametrize("error", ANYTHING)
def test_whatever_a_batch_raises_its_messages_are_given_one_by_one(error: type[BaseException]) -> None:
    bench, consumer = bench_of(m0=[error("once")])
    bench.offer(*messages(2))
    bench.run()
    assert consumer.batches == [["0", "1"], ["0"], ["1"]]
    assert bench.queue.stats().counters.finished == 2


def test_a_reject_of_a_batch_buries_only_who_is_rejected_alone() -> None:
    bench, _ = bench_of(m1=[Reject("a row of it"), Reject("this row")])
    bench.offer(*messages(3))
    bench.run()
    (letter,) = bench.store.dead_letters("test")
    assert (letter.message.id, letter.reason) == ("1", "this row")
    assert bench.queue.stats().counters.finished == 2


def test_a_batch_of_one_that_fails_has_failed() -> None:
    bench, consumer = bench_of(m0=[KeyError("x")])
    bench.offer(message(0))
    bench.run()
    assert consumer.batches == [["0"]]
    assert bench.queue.stats().counters.failed == 1


def test_stopped_while_it_splits_a_batch_it_gives_back_the_rest() -> None:
    bench, consumer = bench_of(m0=[KeyError("x")])
    consumer.on_consume = lambda m: bench.worker.stop() if m.id == "1" else None
    bench.offer(*messages(4))
    bench.worker.run()
    assert consumer.batches == [["0", "1", "2", "3"][:4], ["0"], ["1"]]
    counters = bench.queue.stats().counters
    assert (counters.finished, counters.backlog) == (2, 2)


def test_in_strict_order_a_batch_that_fails_keeps_its_order() -> None:
    consumer = ScriptedBatches()
    consumer.script = {"1": [KeyError("x"), KeyError("x")]}
    bench = Bench(consumer, batch_size=10, key_of=lambda _: None)
    bench.offer(*messages(3))
    bench.run_to_the_end()
    assert consumer.batches == [["0", "1", "2"], ["0"], ["1"], ["1"], ["2"]]


def test_in_strict_order_a_retry_of_a_batch_keeps_its_order() -> None:
    consumer = ScriptedBatches()
    consumer.script = {"2": [Retry(1.0)]}
    bench = Bench(consumer, batch_size=10, key_of=lambda _: None)
    bench.offer(*messages(3))
    bench.run_to_the_end()
    assert consumer.batches == [["0", "1", "2"], ["0"], ["1", "2"]]


class Greedy(ScriptedBatches):
    """Empties the list it is given."""

    def consume_batch(self, messages: Sequence[Message]) -> None:
        assert isinstance(messages, list)
        messages.clear()


def test_what_a_consumer_does_to_its_list_is_seen_by_nobody_else() -> None:
    bench = Bench(Greedy(), batch_size=10)
    shared = messages(3)
    offer(bench.queue, shared)
    bench.run()
    assert shared == messages(3)
    assert bench.queue.stats().counters.finished == 3


def test_the_age_of_each_message_of_a_batch_is_counted() -> None:
    bench, _ = bench_of()
    bench.offer(*messages(3))
    bench.run()
    assert (sum(bench.worker.ages.counts), sum(bench.worker.consume_times.counts)) == (3, 1)


# -- what is measured


def test_the_time_of_a_batch_that_failed_is_its_own_and_not_that_of_the_next() -> None:
    bench, consumer = bench_of(m0=[KeyError("x")])
    consumer.on_consume = lambda one: bench.clock.advance(4.0 if one.id == "0" and len(consumer.batches) == 1 else 0.0)
    bench.offer(*messages(2))
    bench.worker.step(0)
    wanted = Histogram()
    for seconds in (4.0, 0.0, 0.0):
        wanted.add(seconds)
    assert bench.worker.consume_times.counts == wanted.counts


def test_each_message_of_a_run_has_its_own_age() -> None:
    bench, _ = bench_of()
    bench.clock.advance(100.0)
    bench.offer(*(message(number) for number in (10, 10, 60, 99)))
    bench.worker.step(0)
    wanted = Histogram()
    for age in (90.0, 90.0, 40.0, 1.0):
        wanted.add(age)
    assert bench.worker.ages.counts == wanted.counts


def test_messages_of_one_time_count_each_once_though_they_are_reported_in_parts() -> None:
    bench = Bench()
    bench.worker._limit = 9
    bench.clock.advance(100.0)
    bench.consumer.on_consume = lambda _: bench.clock.advance(REPORT_EVERY * 2)
    bench.offer(*[message(10) for _ in range(5)])
    bench.worker.step(0)
    assert sum(bench.worker.ages.counts) == 5


def test_log_lines_are_about_the_one_message_and_of_a_batch_about_none() -> None:
    bench, consumer = bench_of(3)
    about: list[int] = []

    def note(_: Message) -> None:
        delivery = bench.worker._logged_delivery()
        about.append(0 if delivery is None else len(delivery.messages))

    consumer.on_consume = note
    bench.offer(*messages(4))
    bench.run()
    assert about == [0, 0, 0, 1]
    assert bench.worker._logged_delivery() is None
    single = Bench()
    single.worker._limit = 9
    single.consumer.on_consume = lambda _: about.append(single.worker._logged_delivery() is single.worker.delivery)
    single.offer(*messages(2))
    single.run()
    assert about[4:] == [True, True]


def test_a_batch_of_one_that_failed_tells_with_what() -> None:
    bench, _ = bench_of(m0=[KeyError("x")])
    bench.offer(message(0))
    bench.worker.step(0)
    assert bench.worker.last_failure is not None
    assert (bench.worker.last_failure.error, bench.worker.last_failure.message_id) == ("KeyError", "0")


def test_a_batch_that_succeeds_ends_the_growth_of_the_pauses() -> None:
    bench, consumer = bench_of(m1=[Retry() for _ in range(3)], m3=[Retry()])
    bench.offer(*messages(3))
    for pause in (1.0, 2.0, 4.0):
        bench.run()
        bench.clock.advance(pause)
    bench.run()
    assert bench.queue.stats().counters.finished == 3
    bench.offer(message(3))
    bench.run()
    bench.clock.advance(1.0)
    bench.run()
    assert consumer.batches[-2:] == [["3"], ["3"]]


def test_messages_of_one_time_that_are_reported_together_count_each() -> None:
    bench = Bench()
    bench.worker._limit = 9
    bench.clock.advance(100.0)
    bench.offer(*[message(10) for _ in range(5)])
    bench.worker.step(0)
    wanted = Histogram()
    wanted.add(90.0, 5)
    assert bench.worker.ages.counts == wanted.counts
