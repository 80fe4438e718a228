"""The live page's source: server-sent events, ``/events``. With the token all of the status, without it the numbers."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.interfaces import IPushProducer
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from zope.interface import implementer

from hub.errors import Forbidden
from hub.interfaces import Clock
from hub.monitoring.web.guard import WebGuard
from hub.monitoring.web.pulse import Frame, Pulse
from hub.monitoring.web.request import problem

MOST = 64
"""Browsers at once."""
PATIENCE = 60.0
"""Seconds that a browser may not read; then its place is free again. One that wakes up connects anew by itself."""
SEND_BUFFER = 64 << 10
"""Bytes that the kernel may keep for one browser. Left alone, it takes megabytes before we notice that nobody reads."""
HELLO = b"retry: 2000\n\n"
NOTHING = b": the numbers can't be had\n\n"
"""A comment, so that the connection is seen to live."""


@implementer(IPushProducer)
class Stream:
    """One browser. What it does not read in time it never gets; then comes the newest.

    :param monotonic: seconds.
    :ivar contents: whether it is sent all, or the numbers. :ivar waiting_since: ``None`` while it reads.
    """

    def __init__(self, request: Any, contents: bool, monotonic: Clock) -> None:
        self.request = request
        self.contents = contents
        self._monotonic = monotonic
        self.began = monotonic()
        self._missed: bytes | None = None
        self.waiting_since: float | None = None

    def start(self) -> None:
        """The headers; then ``send`` may be called."""
        connection = getattr(self.request.transport, "socket", None)
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self.request.setHeader(b"Content-Type", b"text/event-stream")
        # nginx then passes on what it gets at once, without being configured to.
        self.request.setHeader(b"X-Accel-Buffering", b"no")
        self.request.registerProducer(self, True)
        self.request.write(HELLO)

    def send(self, event: bytes) -> None:
        """Unless it does not read: then as soon as it does, if nothing newer has come by then."""
        if self.waiting_since is None:
            self.request.write(event)
        else:
            self._missed = event

    def finish(self) -> None:
        """The end, by us."""
        self.request.unregisterProducer()
        self.request.finish()

    def cut(self) -> None:
        """The end, whatever is not read yet."""
        self.request.transport.abortConnection()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name
        """It does not read."""
        self.waiting_since = self._monotonic()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name
        """It does again."""
        self.waiting_since = None
        if self._missed is not None:
            event, self._missed = self._missed, None
            self.request.write(event)

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name
        """It hung up; the request tells us so too."""


class Events(Resource):
    """See the module. Where nobody listens, no snapshot is encoded; where many do, it is encoded once.

    :ivar streams: the browsers. :ivar cut: how many did not read, or had to go for one with a token; it only grows.
    """

    isLeaf = True

    def __init__(self, pulse: Pulse, guard: WebGuard, monotonic: Clock) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.streams: set[Stream] = set()
        self.cut = 0
        self._pulse = pulse
        self._guard = guard
        self._monotonic = monotonic
        pulse.listeners.append(self.send)

    def render_GET(self, request: Request) -> bytes | int:  # noqa: N802 - Twisted's name
        """Snapshots, until the browser hangs up."""
        try:
            contents = self._guard.shows_contents(request)
        except Forbidden as error:
            return problem(request, error.code, str(error))
        if len(self.streams) >= MOST and not (contents and self._make_room()):
            request.setHeader(b"Retry-After", b"10")
            return problem(request, 503, f"{MOST} pages are open already")
        first = _event(self._pulse.latest(), contents)
        stream = Stream(request, contents, self._monotonic)
        request.notifyFinish().addBoth(lambda _: self.streams.discard(stream))
        self.streams.add(stream)
        stream.start()
        stream.send(first)
        return NOT_DONE_YET

    def _make_room(self) -> bool:
        """Have the page that was opened first without a token go, for one with a token."""
        strangers = [stream for stream in self.streams if not stream.contents]
        if not strangers:
            return False
        first = min(strangers, key=lambda stream: stream.began)
        self.streams.discard(first)
        self.cut += 1
        first.cut()
        return True

    def render_HEAD(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """What there would be."""
        request.setHeader(b"Content-Type", b"text/event-stream")
        return b""

    def send(self, frame: Frame | None) -> None:
        """To all; and let go of those that do not read, or whose token is good no more."""
        events = {contents: _event(frame, contents) for contents in {stream.contents for stream in self.streams}}
        deadline = self._monotonic() - PATIENCE
        for stream in list(self.streams):
            if stream.waiting_since is not None and stream.waiting_since < deadline:
                self.cut += 1
                stream.cut()
            elif stream.contents and not self._guard.trusts(stream.request):
                stream.finish()
            else:
                stream.send(events[stream.contents])

    def close(self) -> None:
        """Finish all."""
        for stream in list(self.streams):
            stream.finish()


def _event(frame: Frame | None, contents: bool) -> bytes:
    return NOTHING if frame is None else b"event: status\ndata: " + frame.document(contents) + b"\n\n"
