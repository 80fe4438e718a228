"""A request and its answer."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import msgspec
from twisted.web.error import UnsupportedMethod
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request

from hub.monitoring.web import headers

BODY_LIMIT = 256 << 10
"""Bytes of a request's body: room for the numbers of all dead letters that are kept by default."""


class WebRequest(Request):
    """One request, with the headers of :mod:`hub.monitoring.web.headers` in its answer."""

    channel: Any
    site: Any

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)  # type: ignore[no-untyped-call]
        self._refused = False
        self._penalty = 0.0
        self._held: list[bytes] = []

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """The headers are there."""
        self.content = BytesIO()
        self._bound(length or 0)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """A part of the body is there."""
        assert self.content is not None
        self._bound(self.content.tell() + len(data))
        if not self._refused:
            self.content.write(data)

    def _bound(self, size: int) -> None:
        if size > BODY_LIMIT and not self._refused:
            self._refused = True
            self.channel.refuse(b"413 Content Too Large")

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:  # noqa: N802 - Twisted's name
        """All of it is there."""
        if self._refused:
            return
        # Bodies are JSON, whatever they claim to be: Twisted would take the time to parse a form.
        self.requestHeaders.removeHeader(b"Content-Type")
        super().requestReceived(command, path, version)  # type: ignore[no-untyped-call]

    def process(self) -> None:
        """Have it answered."""
        for name, value in headers.SECURITY.items():
            self.responseHeaders.setRawHeaders(name, [value])
        if not self.path.startswith(b"/"):
            # 'OPTIONS *', which Twisted answers by itself: nobody passes by the guard.
            self.path = b"/" + self.path
        super().process()  # type: ignore[no-untyped-call]

    def render(self, resrc: Any) -> None:
        """As Twisted's own, which answers errors with pages of HTML, and logs what anybody may send."""
        try:
            body = resrc.render(self)
        except UnsupportedMethod as error:
            self.responseHeaders.setRawHeaders(b"Allow", [b", ".join(error.allowedMethods)])
            body = problem(self, 405, f"not this method here, but {b' or '.join(error.allowedMethods).decode()}")
        if body != NOT_DONE_YET:
            self.responseHeaders.setRawHeaders(b"Content-Length", [str(len(body)).encode()])
            self.write(body)
            self.finish()

    def processingFailed(self, reason: Any) -> None:  # noqa: N802 - Twisted's name
        """A fault of ours: the log says why, the client does not."""
        self.site.on_bug(reason)
        if self.startedWriting:
            self.channel.loseConnection()
        else:
            self.write(problem(self, 500, "the hub itself failed; its log says why"))
            self.finish()

    def hold(self, seconds: float) -> None:
        """Have the answer wait that long."""
        self._penalty = seconds

    def write(self, data: bytes) -> None:
        """A part of the answer."""
        if self._penalty:
            self._held.append(data)
        else:
            super().write(data)  # type: ignore[no-untyped-call]

    def finish(self) -> None:
        """The end of the answer."""
        if not self._penalty:
            super().finish()  # type: ignore[no-untyped-call]
            return
        timer = self.site.reactor.callLater(self._penalty, self._let_go)
        self.notifyFinish().addBoth(lambda _: timer.cancel() if timer.active() else None)

    def _let_go(self) -> None:
        self._penalty = 0.0
        self.write(b"".join(self._held))
        self.finish()


def problem(request: Request, code: int, text: str) -> bytes:
    """An error as the verbs answer it. To be returned, or written."""
    request.setResponseCode(code)
    request.setHeader(b"Content-Type", b"application/json")
    return msgspec.json.encode({"problems": [text]}) + b"\n"


class Problem(Resource):
    """Answers anything with one error."""

    isLeaf = True

    def __init__(self, code: int, text: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._code = code
        self._text = text

    def render(self, request: Request) -> bytes:
        """See the class."""
        return problem(request, self._code, self._text)
