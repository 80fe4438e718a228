"""What a consumer publishes belongs to the trace of what it consumes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from hub import current_message
from hub.errors import Retry
from hub.interfaces import Exporter
from hub.message import HeaderValue, Message
from hub.publisher import Publisher
from hub.store import Outgoing
from hub.tracing import Tracing
from tests.support import ROOT
from tests.unit.doubles import Bench, FakeReactor, RecordingBackend, Scripted, ScriptedBatches, message

TRACE = "0af7651916cd43dd8448eb211c80319c"
ONE, TWO = (f"00-{TRACE}-{number:016x}-01" for number in (1, 2))


class Spans:
    """A tracer that remembers; what is published within a span is given its number."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, list[str], int]] = []
        self.ended: list[str] = []

    def begin(self, consumer: str, messages: Sequence[Message], attempt: int) -> Spans:
        self.begun.append((consumer, [one.id for one in messages], attempt))
        return self

    def end(self, error: BaseException | None) -> None:
        self.ended.append(type(error).__name__)

    def headers(self) -> Mapping[str, str]:
        return {"traceparent": f"span-{len(self.begun)}"}


class Failing(Spans):
    def begin(self, consumer: str, messages: Sequence[Message], attempt: int) -> Spans:
        raise RuntimeError("begin")

    def headers(self) -> Mapping[str, str]:
        raise RuntimeError("headers")


class FailingAtTheEnd(Spans):
    def end(self, error: BaseException | None) -> None:
        raise RuntimeError("end")


class Desk(Bench):
    """A bench whose consumer publishes for each message that it is given."""

    def __init__(self, consumer: Scripted | None = None, headers: Mapping[str, str] | None = None, **kwargs: Any):
        super().__init__(consumer, **kwargs)
        self.sent: list[Outgoing] = []
        self.store.watch(lambda *_: None, lambda _, outgoing: self.sent.extend(outgoing))
        backend = RecordingBackend(None)  # type: ignore[arg-type]
        self.publisher = Publisher({"bus": backend}, FakeReactor(), self.store, self.clock.seconds)
        self.publisher.tracing = self.around.tracing
        self.consumer.on_consume = lambda one: self.publisher.publish(f"of.{one.id}", b"{}", headers or {}, None)

    def headers(self) -> dict[str, dict[str, HeaderValue]]:
        return {one.message.topic: dict(one.message.headers) for one in self.sent}

    def trace_with(self, tracer: Spans) -> None:
        exporter: Any = type("Tracing", (), {"tracer": lambda _: tracer})()
        self.around.tracing.adopt("otel", exporter)


@pytest.fixture(autouse=True)
def _clean() -> Any:
    yield
    current_message.use(None)


def test_what_is_published_has_the_headers_of_the_message_in_hand() -> None:
    desk = Desk()
    desk.offer(message(1, traceparent=ONE, tracestate="a=1", other="x"), message(2), message(3, traceparent=TWO))
    desk.run()
    assert desk.headers() == {
        "of.1": {"traceparent": ONE, "tracestate": "a=1"},
        "of.2": {},
        "of.3": {"traceparent": TWO},
    }


def test_a_bad_traceparent_is_as_none() -> None:
    desk = Desk()
    desk.offer(message(1, traceparent="00-x", tracestate="a=1"))
    desk.run()
    assert desk.headers() == {"of.1": {}}


@pytest.mark.parametrize("given", [{"traceparent": TWO}, {"Traceparent": "none"}, {"tracestate": "b=1"}])
def test_nothing_is_added_to_what_the_consumer_decided(given: dict[str, str]) -> None:
    desk = Desk(headers=given)
    desk.trace_with(Spans())
    desk.offer(message(1, traceparent=ONE, tracestate="a=1"))
    desk.run()
    assert desk.headers() == {"of.1": given}


def test_other_headers_of_the_consumer_stay() -> None:
    desk = Desk(headers={"x": "y"})
    desk.offer(message(1, traceparent=ONE))
    desk.run()
    assert desk.headers() == {"of.1": {"x": "y", "traceparent": ONE}}


def test_outside_of_a_consumer_nothing_is_added() -> None:
    desk = Desk()
    desk.offer(message(1, traceparent=ONE))
    desk.run()
    assert desk.publisher.tracing.headers({}) == {}


@pytest.mark.parametrize(("second", "found"), [(ONE, {"traceparent": ONE}), (TWO, {})])
def test_a_batch_passes_on_what_all_its_messages_have(second: str, found: dict[str, str]) -> None:
    desk = Desk(ScriptedBatches(), batch_size=10)
    desk.offer(message(1, traceparent=ONE), message(2, traceparent=second))
    desk.run()
    assert desk.headers() == {"of.1": found, "of.2": found}


def test_a_batch_that_is_split_passes_on_each_ones_own() -> None:
    desk = Desk(ScriptedBatches(), batch_size=10)
    desk.consumer.script["2"] = [ValueError("the batch")]
    desk.offer(message(1, traceparent=ONE), message(2, traceparent=TWO))
    desk.run()
    assert desk.headers() == {"of.1": {"traceparent": ONE}, "of.2": {"traceparent": TWO}}


def test_without_a_tracer_the_consumer_is_called_directly() -> None:
    tracing, consumer = Tracing(), ScriptedBatches()
    taken: Any = None
    assert tracing.consume(consumer, "c", taken) == consumer.consume
    assert tracing.consume_batch(consumer, "c", taken) == consumer.consume_batch


def test_a_tracer_is_told_of_each_call_and_gives_the_headers() -> None:
    desk, spans = Desk(), Spans()
    desk.trace_with(spans)
    desk.consumer.script["2"] = [ValueError("once")]
    desk.consumer.script["3"] = [Retry(1.0)]
    desk.offer(message(1, traceparent=ONE), message(2), message(3))
    desk.run_to_the_end()
    assert sorted(spans.begun) == [
        ("test", ["1"], 1), ("test", ["2"], 1), ("test", ["2"], 2), ("test", ["3"], 1), ("test", ["3"], 2),
    ]  # fmt: skip
    assert sorted(spans.ended) == ["NoneType", "NoneType", "NoneType", "Retry", "ValueError"]
    assert desk.headers()["of.1"] == {"traceparent": "span-1"}


def test_a_tracer_is_told_of_batches_whole_and_split() -> None:
    desk, spans = Desk(ScriptedBatches(), batch_size=10), Spans()
    desk.trace_with(spans)
    desk.consumer.script["1"] = [ValueError("the batch")]
    desk.offer(message(1), message(2))
    desk.run()
    assert spans.begun == [("test", ["1", "2"], 1), ("test", ["1"], 1), ("test", ["2"], 1)]
    assert spans.ended == ["ValueError", "NoneType", "NoneType"]


@pytest.mark.parametrize("tracer", [Failing, FailingAtTheEnd])
def test_a_tracer_that_fails_spoils_no_message(tracer: Callable[[], Spans]) -> None:
    desk = Desk()
    desk.trace_with(tracer())
    desk.offer(message(1, traceparent=ONE))
    desk.run()
    assert desk.queue.stats().counters.finished == 1
    assert set(desk.headers()) == {"of.1"}


class NotTracing:
    """Most exporters."""


class Offering(NotTracing):
    def __init__(self, tracer: Spans | None) -> None:
        self._tracer = tracer

    def tracer(self) -> Spans | None:
        return self._tracer


def adopt(tracing: Tracing, name: str, exporter: NotTracing) -> None:
    found: Exporter = exporter  # type: ignore[assignment]
    tracing.adopt(name, found)


def test_the_first_exporter_that_traces_is_used_until_it_ends() -> None:
    tracing, first, second = Tracing(), Spans(), Spans()
    adopt(tracing, "collectd", NotTracing())
    adopt(tracing, "metrics", Offering(None))
    assert tracing.tracer is None
    adopt(tracing, "one", Offering(first))
    adopt(tracing, "two", Offering(second))
    assert tracing.tracer is first
    tracing.drop("two")
    assert tracing.tracer is first
    tracing.drop("one")
    assert tracing.tracer is None
    adopt(tracing, "two", Offering(second))
    assert tracing.tracer is second


def test_the_hub_never_imports_opentelemetry() -> None:
    for path in (ROOT / "hub").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.startswith("opentelemetry") for name in names), path
