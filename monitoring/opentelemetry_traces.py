"""Traces: a span for each call of a consumer, by OpenTelemetry's semantic conventions for messaging.

Imported only if the exporter is used: OpenTelemetry's SDK is an extra.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from contextvars import Token

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from hub import __version__
from hub.errors import Reject, Retry
from hub.message import Message

MOST_LINKS = 128
"""Links of a batch's span: as many as the SDK keeps."""
LONGEST_TEXT = 500
"""Characters of an error in a span's status; the full text is in the event."""

_w3c = TraceContextTextMapPropagator()


class ConsumerSpan:
    """Span that is current in this thread until its end, so that spans of the consumer's libraries, and messages that
    it publishes, are its children."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._token: Token[Context] = context.attach(trace.set_span_in_context(span))

    def end(self, error: BaseException | None) -> None:
        """End the span. ``Retry`` is not recorded as an error: the consumer decided it."""
        context.detach(self._token)
        if isinstance(error, Retry):
            self._span.set_attribute("hubbub.outcome", "retry")
        elif error is not None:
            self._span.set_attribute("hubbub.outcome", "reject" if isinstance(error, Reject) else "error")
            self._span.set_attribute("error.type", type(error).__qualname__)
            self._span.set_status(Status(StatusCode.ERROR, writable(str(error))[:LONGEST_TEXT]))
            self._record(error)
        self._span.end()

    def _record(self, error: BaseException) -> None:
        """Record an error as the SDK would, without characters that UTF-8 can't encode: one such character would make
        the SDK lose all spans sent with it."""
        text = {
            "exception.message": writable(str(error)),
            "exception.stacktrace": writable("".join(traceback.format_exception(error))),
        }
        self._span.record_exception(error, attributes=text, escaped=True)


class ConsumerTracer:
    """Tracer of consumers; see :class:`hub.interfaces.Tracer`.

    :param provider: creates the spans and exports them.
    """

    def __init__(self, provider: trace.TracerProvider) -> None:
        self._tracer = provider.get_tracer("hubbub", __version__)

    def begin(self, consumer: str, messages: Sequence[Message], attempt: int) -> ConsumerSpan:
        """Begin a span. One message's span is the child of the span in its ``traceparent``. A batch's span has links to
        all of them, and a parent only if all messages have the same."""
        contexts = [_context_of(message) for message in messages[:MOST_LINKS]]
        parents = [trace.get_current_span(found).get_span_context() for found in contexts]
        single = all((one.trace_id, one.span_id) == (parents[0].trace_id, parents[0].span_id) for one in parents)
        links = [Link(one) for one in parents if one.is_valid] if len(messages) > 1 else []
        topics = {message.topic for message in messages}
        topic = writable(messages[0].topic) if len(topics) == 1 else None
        attributes = _attributes(consumer, messages, attempt)
        if topic is not None:
            attributes["messaging.destination.name"] = topic
        span = self._tracer.start_span(
            f"process {topic}" if topic is not None else "process",
            contexts[0] if single and len(messages) <= MOST_LINKS else Context(),
            SpanKind.CONSUMER,
            attributes,
            links,
        )
        return ConsumerSpan(span)

    def headers(self) -> Mapping[str, str]:
        """Headers that name the current span of this thread, whoever began it."""
        carrier: dict[str, str] = {}
        _w3c.inject(carrier)
        return carrier


def _context_of(message: Message) -> Context:
    if not message.headers:
        return Context()
    texts = {name: value for name, value in message.headers.items() if isinstance(value, str)}
    return _w3c.extract(texts, Context())


def _attributes(consumer: str, messages: Sequence[Message], attempt: int) -> dict[str, AttributeValue]:
    first = messages[0]
    attributes: dict[str, AttributeValue] = {
        "messaging.system": "hubbub",
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
        "messaging.consumer.group.name": consumer,
        "hubbub.backend": first.backend,
        "hubbub.attempt": attempt,
    }
    if len(messages) == 1:
        attributes["messaging.message.id"] = writable(first.id)
        attributes["messaging.message.body.size"] = len(first.body)
    else:
        attributes["messaging.batch.message_count"] = len(messages)
    return attributes


def writable(text: str) -> str:
    """Text without characters that UTF-8 can't encode."""
    return text.encode("utf-8", "replace").decode()
