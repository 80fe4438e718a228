"""Verbs of the web server besides the hub's own: health, status, metrics, history and spikes."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.defer import TimeoutError as Overdue
from twisted.python.failure import Failure
from twisted.web.http import OK, SERVICE_UNAVAILABLE

from hub.errors import NotFound, Unavailable
from hub.http.verb import JSON, Call, Document, Nothing, Verb
from hub.monitoring.prometheus import render
from hub.monitoring.web.history import TIERS
from hub.monitoring.web.recorder import Recorder
from hub.monitoring.web.sampler import Sampler
from hub.monitoring.web.spikes import Spike
from hub.monitoring.web.worker_thread import WorkerThread

SPAN = 600
"""Seconds of history by default."""
LONGEST = TIERS[-1].span
LONGEST_OF_ALL = 3600
"""Seconds of history for all queues at most: the whole would be many megabytes, for anybody who requests it."""
READ_TIMEOUT = 10.0
"""Seconds that an answer waits for a slow disk."""


class HealthState(msgspec.Struct):
    """State of the hub."""

    state: str


class Health(Verb):
    """Check whether the process is alive: it answers 200 as long as its reactor runs."""

    path, access, result, any_host = "healthz", "open", HealthState, True

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def carry_out(self, order: Nothing) -> HealthState:
        """Return the hub's state."""
        return HealthState(self._sampler.latest().status["hub"]["state"])


class ReadyState(msgspec.Struct):
    """Readiness of the hub, with all reasons against it."""

    ready: bool
    reasons: list[str]


class Readiness(Verb):
    """Check whether the hub is ready for messages; answers 503 with all reasons if it is not."""

    path, access, result, any_host = "readyz", "open", ReadyState, True

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def carry_out(self, order: Nothing) -> Document:
        """Return the readiness; the status code depends on ``ready``."""
        hub = self._sampler.latest().numbers["hub"]
        body = msgspec.json.encode(ReadyState(hub["ready"], hub["not_ready"])) + b"\n"
        return Document(JSON, body, OK if hub["ready"] else SERVICE_UNAVAILABLE)


class Status(Verb):
    """Show all numbers; with a token for contents also the texts of errors, topics and ids.

    The numbers may be a fraction of a second old.
    """

    path, access = "status", "status"

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler

    def handle(self, call: Call) -> bytes:
        """Return the encoded document, which is shared by all requests with the same right."""
        return self._sampler.latest().document(call.caller.contents) + b"\n"


class Metrics(Verb):
    """Export the numbers in Prometheus' text format, or in OpenMetrics where the client accepts that."""

    path, media, any_host = "metrics", "text/plain", True

    def __init__(self, sampler: Sampler, worker: WorkerThread) -> None:
        self._sampler = sampler
        self._worker = worker

    def handle(self, call: Call) -> Deferred[Document]:
        """Render the numbers in another thread."""
        accept = (call.request.getHeader(b"Accept") or b"").decode("latin-1")
        rendered = self._worker.do(render, self._sampler.latest().numbers, accept)
        return rendered.addCallback(lambda found: Document(*found))


class HistoryOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Name of the queue (empty: all queues), and seconds back; an hour at most for all queues."""

    queue: str = ""
    span: Annotated[int, msgspec.Meta(ge=1, le=LONGEST)] = SPAN


class History(Verb):
    """Show how backlogs and rates of one queue, or of all, changed in the last ``span`` seconds."""

    path, about, order = "history", "queue", HistoryOrder

    def __init__(self, recorder: Recorder, reactor: Any) -> None:
        self._recorder = recorder
        self._reactor = reactor

    def carry_out(self, order: HistoryOrder) -> Deferred[bytes]:
        """Read the history from the disk."""
        if not order.queue and order.span > LONGEST_OF_ALL:
            raise ValueError(f"the span of all queues must be from 1 to {LONGEST_OF_ALL} seconds")
        read = self._recorder.view(order.span, order.queue or None)
        return _in_time(read, self._reactor).addCallback(_found)


def _found(document: bytes | None) -> bytes:
    if document is None:
        raise NotFound("there is no history of a queue of that name")
    return document + b"\n"


def _in_time(read: Deferred[Any], reactor: Any) -> Deferred[Any]:
    return read.addTimeout(READ_TIMEOUT, reactor).addErrback(_overdue)


def _overdue(failure: Failure) -> None:
    failure.trap(Overdue)
    raise Unavailable("reading the history takes too long")


class SpikesOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Name of the queue."""

    queue: str


class SpikeList(msgspec.Struct):
    """Spikes of a queue, the newest first."""

    spikes: list[Spike]


class Spikes(Verb):
    """List the spikes of a queue's backlog; none for an unknown queue."""

    path, about, order, result = "spikes", "queue", SpikesOrder, SpikeList

    def __init__(self, recorder: Recorder, reactor: Any) -> None:
        self._recorder = recorder
        self._reactor = reactor

    def carry_out(self, order: SpikesOrder) -> Deferred[SpikeList]:
        """Read the spikes from the disk."""
        return _in_time(self._recorder.spikes(order.queue), self._reactor).addCallback(SpikeList)
