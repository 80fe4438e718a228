"""HTTP request and its answer."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import msgspec
from twisted.web.server import Request

from hub.http.api import BUG
from hub.http.verb import JSON
from hub.monitoring.web import headers

BODY_LIMIT = 256 << 10
"""Bytes of a request's body: enough for the numbers of all dead letters that are kept by default."""


class WebRequest(Request):
    """HTTP request, whose answer has the headers of :mod:`hub.monitoring.web.headers`."""

    channel: Any
    site: Any

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self._refused = False
        self._penalty = 0.0
        self._held: list[bytes] = []

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """Check the length of the body: the headers have arrived."""
        self.content = BytesIO()
        self._bound(length or 0)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Add a part of the body, up to :data:`BODY_LIMIT`."""
        assert self.content is not None
        self._bound(self.content.tell() + len(data))
        if not self._refused:
            self.content.write(data)

    def _bound(self, size: int) -> None:
        if size > BODY_LIMIT and not self._refused:
            self._refused = True
            self.channel.refuse(b"413 Content Too Large")

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802 - Twisted's name
        """Process the complete request."""
        if self._refused:
            return
        # Bodies are JSON, whatever their Content-Type is; else Twisted would spend time on parsing a form.
        self.requestHeaders.removeHeader(b"Content-Type")
        super().requestReceived(command, path, version)  # type: ignore[no-untyped-call]

    def process(self) -> None:
        """Answer the request."""
        for name, value in headers.SECURITY.items():
            self.responseHeaders.setRawHeaders(name, [value])
        if not self.path.startswith(b"/"):
            # Twisted would answer 'OPTIONS *' by itself, without the guard.
            self.path = b"/" + self.path
        super().process()  # type: ignore[no-untyped-call]

    def render(self, resrc: Any) -> None:
        """Pass the request to the API, which answers all; Twisted's own method answers errors in HTML."""
        resrc.render(self)

    def processingFailed(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        """Answer 500 after an internal error, which is logged, and not shown to the client."""
        self.site.on_bug(reason)
        if self.startedWriting:
            self.channel.loseConnection()
        else:
            self.setResponseCode(500)
            self.responseHeaders.setRawHeaders(b"Content-Type", [JSON.encode()])
            self.write(msgspec.json.encode({"problems": [BUG]}) + b"\n")
            self.finish()

    def hold(self, seconds: float) -> None:
        """Delay the answer."""
        self._penalty = seconds

    def write(self, data: bytes) -> None:
        """Write a part of the answer."""
        if self._penalty:
            self._held.append(data)
        else:
            super().write(data)  # type: ignore[no-untyped-call]

    def finish(self) -> None:
        """Finish the answer."""
        if not self._penalty:
            super().finish()  # type: ignore[no-untyped-call]
            return
        timer = self.site.reactor.callLater(self._penalty, self._let_go)
        self.notifyFinish().addBoth(lambda _: timer.cancel() if timer.active() else None)

    def _let_go(self) -> None:
        self._penalty = 0.0
        self.write(b"".join(self._held))
        self.finish()
