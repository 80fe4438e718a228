"""Carries traces through the hub: messages that a consumer publishes belong to the trace of the one it consumes.

Without a tracer, the headers of the message in hand are copied when something is published. With one (from an
exporter), each call of a consumer is a span, and published messages are its children.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from hub import current_message
from hub.consumer import Consumer
from hub.interfaces import Exporter, Tracer, TracingExporter
from hub.message import Headers, Message
from hub.partlog import part_log
from hub.queue.delivery import Delivery
from hub.traceparent import speaks_of_a_trace

Result = TypeVar("Result")


class Tracing:
    """Tracing of the whole hub. ``consume``, ``consume_batch`` and ``headers`` are called in any thread, the rest in
    the reactor's.

    :ivar tracer: ``None``: nothing is traced, and workers call their consumers directly.
    """

    def __init__(self) -> None:
        self.tracer: Tracer | None = None
        self._owner = ""
        self._log = part_log("hub", "tracing")

    def adopt(self, name: str, exporter: Exporter) -> None:
        """Use an exporter's tracer from the next messages on, if it has one. Only the first is used, because a span has
        one destination, and one current context."""
        tracer = self._safely(exporter.tracer) if isinstance(exporter, TracingExporter) else None
        if tracer is None:
            return
        if self.tracer is not None:
            text = "exporter %s does not trace, because exporter %s already does"
            self._log.warning(text, name, self._owner, extra={"action": "trace"})
            return
        self.tracer, self._owner = tracer, name

    def drop(self, name: str) -> None:
        """Stop tracing with an exporter, which ends."""
        if self._owner == name:
            self.tracer, self._owner = None, ""

    def consume(self, consumer: Consumer, name: str, taken: Delivery) -> Callable[[Message], object]:
        """The consumer's ``consume`` for one delivery, wrapped in a span if there is a tracer."""
        tracer = self.tracer
        if tracer is None:
            return consumer.consume

        def traced(message: Message) -> object:
            return self._traced(tracer, name, [message], taken, partial(consumer.consume, message))

        return traced

    def consume_batch(self, consumer: Consumer, name: str, taken: Delivery) -> Callable[[list[Message]], object]:
        """The consumer's ``consume_batch``, wrapped in the same way."""
        tracer = self.tracer
        if tracer is None:
            return consumer.consume_batch

        def traced(messages: list[Message]) -> object:
            return self._traced(tracer, name, messages, taken, partial(consumer.consume_batch, messages))

        return traced

    def _traced(
        self, tracer: Tracer, name: str, messages: Sequence[Message], taken: Delivery, call: Callable[[], object]
    ) -> object:
        span = self._safely(partial(tracer.begin, name, messages, taken.attempts + 1))
        try:
            answer = call()
        except BaseException as error:
            if span is not None:
                self._safely(partial(span.end, error))
            raise
        if span is not None:
            self._safely(partial(span.end, None))
        return answer

    def headers(self, given: Headers) -> Headers:
        """Headers for an outgoing message.

        :param given: the publisher's own. If they mention a trace, nothing is added.
        """
        if given and speaks_of_a_trace(given):
            return given
        tracer = self.tracer
        trace = (self._safely(tracer.headers) if tracer is not None else None) or current_message.trace()
        return {**given, **trace} if trace else given

    def _safely(self, call: Callable[[], Result]) -> Result | None:
        """Call the tracer, and log its errors: a message must not fail because its trace does."""
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - a plugin's code
            self._log.error("the tracer failed", exc_info=error, extra={"action": "trace"})
            return None
