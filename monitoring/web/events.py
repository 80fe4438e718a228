"""Server-sent events for the live page, ``/events``: the whole status with a token, only the numbers without."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from hub.errors import Unavailable
from hub.http.verb import NOT_DONE_YET, Call, Verb
from hub.interfaces import Clock
from hub.monitoring.web.sampler import Sampler, Snapshot

MOST = 64
"""Open streams at most."""
PATIENCE = 60.0
"""Seconds that a browser may not read; then its stream is closed. A browser that wakes up reconnects by itself."""
SEND_BUFFER = 64 << 10
"""Bytes that the kernel may buffer for one browser; by default it takes megabytes before we notice one that does not
read."""
HELLO = b"retry: 2000\n\n"
NOTHING = b": the status is not available\n\n"
"""Comment line, which shows the browser that the connection lives."""


@implementer(IPushProducer)
class Stream:
    """Stream to one browser. Events that it does not read in time are skipped; it gets the newest one.

    :param monotonic: returns seconds.
    :ivar contents: whether it gets the whole status, or the numbers. :ivar waiting_since: ``None`` while it reads.
    """

    def __init__(self, request: Any, contents: bool, monotonic: Clock) -> None:
        self.request = request
        self.contents = contents
        self._monotonic = monotonic
        self.began = monotonic()
        self._missed: bytes | None = None
        self.waiting_since: float | None = None

    def start(self) -> None:
        """Send the headers; then ``send`` may be called."""
        connection = getattr(self.request.transport, "socket", None)
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.request.setHeader(b"Content-Type", b"text/event-stream")
        # The header makes nginx pass on events without buffering, whatever its configuration.
        self.request.setHeader(b"X-Accel-Buffering", b"no")
        self.request.registerProducer(self, True)
        self.request.write(HELLO)

    def send(self, event: bytes) -> None:
        """Send an event, or keep it until the browser reads, unless a newer one replaces it."""
        if self.waiting_since is None:
            self.request.write(event)
        else:
            self._missed = event

    def finish(self) -> None:
        """End the stream."""
        self.request.unregisterProducer()
        self.request.finish()

    def cut(self) -> None:
        """Close the connection at once, with unread events."""
        self.request.transport.abortConnection()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Note that the browser does not read."""
        self.waiting_since = self._monotonic()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Send the kept event: the browser reads again."""
        self.waiting_since = None
        if self._missed is not None:
            event, self._missed = self._missed, None
            self.request.write(event)

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """Do nothing: the browser disconnected, which the request reports too."""


class Events(Verb):
    """Send the status once a second as server-sent events, until the browser hangs up.

    With a token for contents it is all of the status, else the numbers.
    """

    path, access, media, result, endless = "events", "status", "text/event-stream", str, True

    def __init__(self, sampler: Sampler, trusts: Callable[[Any], bool], monotonic: Clock) -> None:
        """Create the verb, without streams.

        :param trusts: whether the token of a request is still valid for contents.

        :ivar streams: the open streams. :ivar cut: streams closed because the browser did not read, or to make room
            for one with a token; it only grows.
        """
        self.streams: set[Stream] = set()
        self.cut = 0
        self._sampler = sampler
        self._trusts = trusts
        self._monotonic = monotonic
        sampler.listeners.append(self.send)

    def handle(self, call: Call) -> int:
        """Open a stream. A snapshot is encoded once for all streams, and not at all without any.

        :raises Unavailable: too many pages are open.
        """
        request, contents = call.request, call.caller.contents
        if len(self.streams) >= MOST and not (contents and self._make_room()):
            request.setHeader(b"Retry-After", b"10")
            raise Unavailable(f"{MOST} pages are open, no more are allowed")
        first = _event(self._sampler.latest(), contents)
        stream = Stream(request, contents, self._monotonic)
        request.notifyFinish().addBoth(lambda _: self.streams.discard(stream))
        self.streams.add(stream)
        stream.start()
        stream.send(first)
        return NOT_DONE_YET

    def _make_room(self) -> bool:
        """Close the oldest stream without a token, to make room for one with a token. :returns: whether one was."""
        strangers = [stream for stream in self.streams if not stream.contents]
        if not strangers:
            return False
        first = min(strangers, key=lambda stream: stream.began)
        self.streams.discard(first)
        self.cut += 1
        first.cut()
        return True

    def send(self, snapshot: Snapshot | None) -> None:
        """Send a snapshot to all streams, and close those that don't read, or whose token became invalid."""
        events = {contents: _event(snapshot, contents) for contents in {stream.contents for stream in self.streams}}
        deadline = self._monotonic() - PATIENCE
        for stream in list(self.streams):
            if stream.waiting_since is not None and stream.waiting_since < deadline:
                self.cut += 1
                stream.cut()
            elif stream.contents and not self._trusts(stream.request):
                stream.finish()
            else:
                stream.send(events[stream.contents])

    def close(self) -> None:
        """End all streams."""
        for stream in list(self.streams):
            stream.finish()


def _event(snapshot: Snapshot | None, contents: bool) -> bytes:
    return NOTHING if snapshot is None else b"event: status\ndata: " + snapshot.document(contents) + b"\n\n"
