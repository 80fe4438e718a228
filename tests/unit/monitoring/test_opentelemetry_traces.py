"""A span for each call of a consumer."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace import SpanKind, StatusCode

from hub.errors import Reject, Retry
from hub.message import Message
from hub.monitoring.opentelemetry_traces import MOST_LINKS, ConsumerTracer

TRACE = 0x0AF7651916CD43DD8448EB211C80319C
ONE, TWO = (f"00-{TRACE:032x}-{number:016x}-01" for number in (1, 2))


class Traced:
    """A tracer whose spans stay here."""

    def __init__(self, root: bool = True) -> None:
        self.kept = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=ParentBased(ALWAYS_ON if root else ALWAYS_OFF), shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.kept))
        self.tracer = ConsumerTracer(self.provider)

    def span(self, *messages: Message, error: BaseException | None = None) -> ReadableSpan:
        self.tracer.begin("c", messages, 2).end(error)
        return self.kept.get_finished_spans()[-1]


@pytest.fixture
def traced() -> Traced:
    return Traced()


def message(number: int = 1, traceparent: str | None = None, topic: str = "a.b", **headers: str) -> Message:
    given = {"traceparent": traceparent, **headers} if traceparent else headers
    return Message(f"id-{number}", topic, b"{}", given, 5.0, "bus")


def test_a_span_says_what_was_processed_by_whom(traced: Traced) -> None:
    span = traced.span(message())
    assert (span.name, span.kind, span.parent, span.status.status_code) == (
        "process a.b", SpanKind.CONSUMER, None, StatusCode.UNSET,
    )  # fmt: skip
    assert dict(span.attributes or {}) == {
        "messaging.system": "hubbub",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.destination.name": "a.b",
        "messaging.consumer.group.name": "c",
        "messaging.message.id": "id-1",
        "messaging.message.body.size": 2,
        "hubbub.backend": "bus",
        "hubbub.attempt": 2,
    }


def test_its_parent_is_what_the_message_names(traced: Traced) -> None:
    span = traced.span(message(traceparent=ONE, tracestate="a=1"))
    assert span.parent is not None
    assert (span.parent.trace_id, span.parent.span_id, span.parent.is_remote) == (TRACE, 1, True)
    assert span.context is not None
    assert span.context.trace_id == TRACE
    assert span.context.trace_state.to_header() == "a=1"


def test_what_is_published_within_it_is_its_child_and_so_are_other_spans(traced: Traced) -> None:
    assert traced.tracer.headers() == {}
    span = traced.tracer.begin("c", [message(traceparent=ONE)], 1)
    outer = trace.get_current_span().get_span_context()
    assert traced.tracer.headers() == {"traceparent": f"00-{TRACE:032x}-{outer.span_id:016x}-01"}
    with traced.provider.get_tracer("library").start_as_current_span("SELECT"):
        pass
    span.end(None)
    assert traced.tracer.headers() == {}
    inner = traced.kept.get_finished_spans()[0]
    assert inner.parent is not None
    assert inner.parent.span_id == outer.span_id


def test_a_message_without_a_trace_begins_one_whatever_came_before(traced: Traced) -> None:
    first, second = traced.span(message(1)), traced.span(message(2))
    assert first.context is not None
    assert second.context is not None
    assert first.context.trace_id != second.context.trace_id


def test_an_error_is_recorded(traced: Traced) -> None:
    span = traced.span(message(), error=ValueError("no \ud800"))
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "no ?")
    (event,) = span.events
    assert (event.attributes or {})["exception.message"] == "no ?"
    assert (span.attributes or {})["hubbub.outcome"] == "error"
    encode_spans([span]).SerializeToString()


def test_a_dead_letter_is_an_error_and_a_retry_is_none(traced: Traced) -> None:
    rejected, again = traced.span(message(), error=Reject("useless")), traced.span(message(), error=Retry(5.0))
    assert (rejected.status.status_code, rejected.status.description) == (StatusCode.ERROR, "useless")
    assert (again.status.status_code, again.events) == (StatusCode.UNSET, ())
    assert [(span.attributes or {})["hubbub.outcome"] for span in (rejected, again)] == ["reject", "retry"]


def test_a_batch_has_links_and_a_parent_only_if_it_is_all_theirs(traced: Traced) -> None:
    mixed = traced.span(message(1, ONE), message(2, TWO), message(3))
    assert mixed.parent is None
    assert [link.context.span_id for link in mixed.links] == [1, 2]
    assert (mixed.attributes or {})["messaging.batch.message_count"] == 3
    same = traced.span(message(1, ONE), message(2, ONE, topic="other"))
    assert same.parent is not None
    assert (same.parent.span_id, same.name, "messaging.destination.name" in (same.attributes or {})) == (
        1, "process", False,
    )  # fmt: skip


def test_a_large_batch_is_bounded(traced: Traced) -> None:
    span = traced.span(*(message(number, ONE) for number in range(MOST_LINKS + 1)))
    assert len(span.links) == MOST_LINKS
    assert span.parent is None


def test_a_trace_that_its_sender_does_not_record_is_passed_on_all_the_same() -> None:
    traced = Traced(root=False)
    span = traced.tracer.begin("c", [message(traceparent=ONE[:-2] + "00")], 1)
    headers = traced.tracer.headers()
    span.end(ValueError("no"))
    assert headers["traceparent"].startswith(f"00-{TRACE:032x}-")
    assert headers["traceparent"].endswith("-00")
    assert not traced.kept.get_finished_spans()


@pytest.mark.parametrize("parent", ["nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_bad_traceparent_is_as_none(traced: Traced, parent: str) -> None:
    assert traced.span(message(traceparent=parent)).parent is None
