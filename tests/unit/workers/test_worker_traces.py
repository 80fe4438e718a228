"""What a consumer publishes: it goes with the message in hand, and goes on with its trace."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub import current_message
from hub.message import Message
from hub.queue.delivery import Delivery
from hub.store import Outgoing
from hub.tracing import Tracing
from tests.unit.doubles import Bench, RecordingBackend, ScriptedBatches, message, messages
from tests.unit.test_publisher import publisher as publisher_of
from tests.unit.workers.test_worker_batches import bench_of


def traced(number: int) -> Message:
    return message(number, traceparent=f"00-{number + 1:032x}-00000000000000aa-01")


def test_one_that_publishes_from_a_batch_goes_on_with_the_trace_that_all_share() -> None:
    bench, consumer = bench_of()
    found: list[object] = []
    consumer.on_consume = lambda _: found.append(current_message.trace().get("traceparent"))
    bench.offer(traced(1), traced(1))
    bench.worker.step(0)
    bench.offer(traced(2), traced(3))
    bench.worker.step(0)
    assert found == [traced(1).headers["traceparent"]] * 2 + [None] * 2


def test_when_a_batch_is_split_each_message_has_its_own_trace_and_sends_what_it_published() -> None:
    bench, consumer = bench_of(m1=[KeyError("x"), KeyError("x")])
    found, published = list[object](), list[Outgoing]()
    bench.store.watch(lambda *_: None, lambda first, outbox: published.extend(outbox))

    def publish(one: Message) -> None:
        if len(consumer.batches) > 1:
            found.append(current_message.trace().get("traceparent"))
            post = current_message.outbox()
            assert post is not None
            post(Outgoing("bus", one))

    consumer.on_consume = publish
    bench.offer(*map(traced, range(3)))
    bench.run()
    assert consumer.batches == [["0", "1", "2"], ["0"], ["1"], ["2"]]
    assert found == [traced(number).headers["traceparent"] for number in range(3)]
    assert [one.message.id for one in published] == ["0", "2"], "what the failed one published is dropped"


def test_one_by_one_each_message_has_its_own_trace() -> None:
    bench = Bench()
    bench.worker._limit = 9
    found: list[object] = []
    bench.consumer.on_consume = lambda _: found.append(current_message.trace().get("traceparent"))
    bench.offer(*map(traced, range(3)))
    bench.worker.step(0)
    assert found == [traced(number).headers["traceparent"] for number in range(3)]
    assert (current_message.outbox(), current_message.trace()) == (None, {})


def test_a_batch_that_is_split_says_so_once_and_each_failure_is_its_own() -> None:
    bench, _ = bench_of(m1=[KeyError("x"), ValueError("y")])
    bench.offer(*messages(3))
    bench.worker.step(0)
    assert bench.log.actions() == ["split", "retry"]
    assert bench.log.lines()[0] == "a batch of 3 failed with KeyError, its messages are delivered one by one"
    assert bench.worker.last_failure is not None
    assert (bench.worker.last_failure.error, bench.queue.stats().counters.failed) == ("ValueError", 1)


@pytest.mark.parametrize("batch_size", [None, 10])
def test_what_a_consumer_publishes_goes_with_the_message_in_hand(batch_size: int | None) -> None:
    bench, published = Bench(ScriptedBatches(), batch_size=batch_size), list[Outgoing]()
    bench.store.watch(lambda *_: None, lambda first, outbox: published.extend(outbox))
    bench.worker._limit = 9

    def publish(one: Message) -> None:
        post = current_message.outbox()
        assert post is not None
        post(Outgoing("bus", one))

    bench.consumer.on_consume = publish
    bench.offer(*messages(3))
    bench.worker.step(0)
    assert [one.message.id for one in published] == ["0", "1", "2"]


@pytest.mark.parametrize("batch_size", [None, 10])
def test_one_that_finds_no_room_for_what_it_publishes_comes_again(
    batch_size: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a queue in memory: the outbox is there too, and has a bound. Nothing counts as failed."""
    monkeypatch.setattr("hub.unsent.MOST_UNSTORED", 2)
    bus = RecordingBackend(None)  # type: ignore[arg-type]
    bench, publisher = Bench(ScriptedBatches(), batch_size=batch_size), publisher_of(bus=bus)
    bench.store.watch(lambda *_: None, lambda first, outbox: publisher.unstored(outbox))
    bench.consumer.on_consume = lambda one: publisher.publish(one.id, b"", {}, None)
    publisher.hold(["bus"], 5.0)
    for number in range(3):
        bench.offer(message(number))
        bench.worker.step(0)
    counters = bench.queue.stats().counters
    assert (counters.finished, counters.retried, counters.failed) == (2, 1, 0)
    publisher.open()
    bench.run_to_the_end()
    assert [one.topic for one in bus.published] == ["0", "1", "2"]
    assert publisher.status()["publish_failed"] == 0


class Watching(Tracing):
    """Notes whose consumer is called, and with what."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[object, str, int]] = []

    def consume(self, consumer: Any, name: str, delivery: Delivery) -> Any:
        self.seen.append((consumer, name, len(delivery.messages)))
        return super().consume(consumer, name, delivery)

    def consume_batch(self, consumer: Any, name: str, delivery: Delivery) -> Any:
        self.seen.append((consumer, name, len(delivery.messages)))
        return super().consume_batch(consumer, name, delivery)


@pytest.mark.parametrize("batch_size", [None, 10])
def test_a_tracing_system_is_told_which_consumer_has_which_messages(batch_size: int | None) -> None:
    bench, tracing = Bench(ScriptedBatches(), batch_size=batch_size), Watching()
    bench.around = replace(bench.around, tracing=tracing)
    bench.worker = bench.another()
    bench.worker._limit = 9
    bench.offer(*messages(3))
    bench.worker.step(0)
    assert tracing.seen == [(bench.consumer, "test", 3)]
