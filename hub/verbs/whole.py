"""Verbs on the hub as a whole."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.web.server import NOT_DONE_YET, Request

from hub.errors import ConfigError
from hub.tail import Tail
from hub.verbs.verb import Verb, answer, carried_out, order_of


class Status(Verb):
    """``GET``: the numbers of everything."""

    def render_GET(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """See the class."""
        return answer(request, self.hub.snapshot())


class PublishOrder(msgspec.Struct, forbid_unknown_fields=True):
    """A message to be sent out."""

    topic: str
    body: msgspec.Raw
    headers: dict[str, str] = {}
    backend: str | None = None


class Publish(Verb):
    """``POST``: send a message out."""

    def render_POST(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """See the class."""
        return carried_out(request, lambda: self._publish(order_of(request, PublishOrder)))

    def _publish(self, order: PublishOrder) -> object:
        publisher = self.hub.publisher
        message = publisher.message(order.topic, bytes(order.body), order.headers)
        publisher.send(publisher.choose(order.backend), message)
        return {"id": message.id}


class Reload(Verb):
    """``POST``: read the configuration anew, and apply what changed."""

    def render_POST(self, request: Request) -> int:  # noqa: N802 - Twisted's name
        """See the class."""
        gone: list[object] = []
        request.notifyFinish().addBoth(gone.append)

        def reply(content: object, code: int) -> None:
            if not gone:
                request.write(answer(request, content, code))
                request.finish()

        def fail(failure: Any) -> None:
            error = failure.trap(Exception) and failure.value
            problems = error.problems if isinstance(error, ConfigError) else [str(error)]
            reply({"problems": problems}, 409 if isinstance(error, ConfigError) else 500)

        self.hub.reload().addCallback(lambda lines: reply({"changes": lines}, 200)).addErrback(fail)
        return NOT_DONE_YET


class Tailing(Verb):
    """``GET``: messages as they come, a JSON object a line, until the client hangs up."""

    def render_GET(self, request: Request) -> int:  # noqa: N802 - Twisted's name
        """See the class."""
        patterns = [pattern.decode("utf-8", "replace") for pattern in (request.args or {}).get(b"pattern", [b"#"])]
        request.setHeader(b"Content-Type", b"application/x-ndjson")
        Tail(request, patterns, self.hub.enqueuer.taps).start()
        return NOT_DONE_YET
