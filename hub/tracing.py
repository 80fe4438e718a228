"""How a trace goes on through the hub: what a consumer publishes belongs to the trace of what it consumes.

Without a tracer the headers of the message in hand are copied, and only when something is published. With one (an
exporter brings it) each call of a consumer is a span, and what is published is that span's child.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from hub import outbox
from hub.consumer import Consumer
from hub.interfaces import Exporter, Tracer
from hub.message import Message
from hub.partlog import part_log
from hub.queue.taken import Taken
from hub.traceparent import speaks_of_a_trace

Result = TypeVar("Result")


class Tracing:
    """One for the whole hub. ``consume``, ``consume_batch`` and ``headers`` from any thread, the rest in the reactor's.

    :ivar tracer: ``None``: nobody traces, and the workers call their consumers directly.
    """

    def __init__(self) -> None:
        self.tracer: Tracer | None = None
        self._owner = ""
        self._log = part_log("hub", "tracing")

    def adopt(self, name: str, exporter: Exporter) -> None:
        """Trace with it from the next messages on, if it can. Only the first that can is used, for a span has one place
        to go to, and one context to be current in."""
        make: Callable[[], Tracer | None] | None = getattr(exporter, "tracer", None)
        tracer = self._safely(make) if make is not None else None
        if tracer is None:
            return
        if self.tracer is not None:
            text = "exporter %s does not trace: exporter %s does already"
            self._log.warning(text, name, self._owner, extra={"action": "trace"})
            return
        self.tracer, self._owner = tracer, name

    def drop(self, name: str) -> None:
        """That exporter is to trace no more: it ends."""
        if self._owner == name:
            self.tracer, self._owner = None, ""

    def consume(self, consumer: Consumer, name: str, taken: Taken) -> Callable[[Message], object]:
        """The consumer's ``consume``, for the messages of one run; with a span around it if somebody traces."""
        tracer = self.tracer
        if tracer is None:
            return consumer.consume

        def traced(message: Message) -> object:
            return self._traced(tracer, name, [message], taken, partial(consumer.consume, message))

        return traced

    def consume_batch(self, consumer: Consumer, name: str, taken: Taken) -> Callable[[list[Message]], object]:
        """As ``consume``, of its ``consume_batch``."""
        tracer = self.tracer
        if tracer is None:
            return consumer.consume_batch

        def traced(messages: list[Message]) -> object:
            return self._traced(tracer, name, messages, taken, partial(consumer.consume_batch, messages))

        return traced

    def _traced(
        self, tracer: Tracer, name: str, messages: Sequence[Message], taken: Taken, call: Callable[[], object]
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

    def headers(self, given: Mapping[str, str]) -> Mapping[str, str]:
        """What to send a message out with.

        :param given: the publisher's own. Where it speaks of a trace itself, nothing is added.
        """
        if given and speaks_of_a_trace(given):
            return given
        tracer = self.tracer
        trace = (self._safely(tracer.headers) if tracer is not None else None) or outbox.trace()
        return {**given, **trace} if trace else given

    def _safely(self, call: Callable[[], Result]) -> Result | None:
        """A message must not fail because its trace does."""
        try:
            return call()
        except Exception as error:  # noqa: BLE001 - somebody else's code
            self._log.error("the tracer failed", exc_info=error, extra={"action": "trace"})
            return None
