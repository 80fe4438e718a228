"""Tracers of what consumers do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from hub.message import Message


class Span(Protocol):
    """A span: one call of a consumer, for a tracer."""

    def end(self, error: BaseException | None) -> None:
        """End the span, in the thread that began it. :param error: raised by the call; ``None``: it returned."""


class Tracer(Protocol):
    """A tracer of consumers' calls. It is called in the worker's thread, and must not block."""

    def begin(self, consumer: str, messages: Sequence[Message], attempt: int) -> Span:
        """Begin the span of a call with one message or a batch. :param attempt: 1 for the first."""

    def headers(self) -> Mapping[str, str]:
        """Headers for a message that this thread publishes now: ``traceparent`` and ``tracestate``, or none."""


@runtime_checkable
class TracingExporter(Protocol):
    """An optional protocol of exporters: they trace what consumers do."""

    def tracer(self) -> Tracer | None:
        """Return the tracer; ``None``: nothing is traced. Called once, when the exporter is made."""
