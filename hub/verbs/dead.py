"""Verbs on dead letters."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.web.server import Request

from hub.deadletter import DeadLetter
from hub.verbs.verb import Verb, carried_out, name_of, order_of


class LettersOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Some dead letters of a consumer, by number."""

    consumer: str
    numbers: list[int]


class Dead(Verb):
    """``GET``: the dead letters of a consumer."""

    def render_GET(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """See the class."""
        return carried_out(request, lambda: self._letters(name_of(request)))

    def _letters(self, name: str) -> object:
        return {"dead_letters": [_shown(letter) for letter in self.hub.steering.dead_letters(name)]}


class RetryDead(Verb):
    """``POST``: give dead letters to their consumer again."""

    def render_POST(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """See the class."""
        return carried_out(request, lambda: self._retry(order_of(request, LettersOrder)))

    def _retry(self, order: LettersOrder) -> object:
        start, stop = self.hub.steering.retry_letters(order.consumer, order.numbers)
        return {"start": start, "stop": stop}


class DeleteDead(Verb):
    """``POST``: delete dead letters."""

    def render_POST(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """See the class."""
        return carried_out(request, lambda: self._delete(order_of(request, LettersOrder)))

    def _delete(self, order: LettersOrder) -> object:
        return {"deleted": self.hub.steering.delete_letters(order.consumer, order.numbers)}


class Unsettled(Verb):
    """``GET``: how many of the positions ``start`` up to ``stop`` of a consumer's queue need more work."""

    def render_GET(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        """See the class."""
        return carried_out(request, lambda: self._count(request))

    def _count(self, request: Request) -> object:
        arguments = request.args or {}
        start, stop = (int(arguments.get(key, [b""])[0]) for key in (b"start", b"stop"))
        return {"unsettled": self.hub.steering.queue(name_of(request)).unsettled(start, stop)}


def _shown(letter: DeadLetter) -> dict[str, Any]:
    message = letter.message
    return {
        "number": letter.number,
        "id": message.id,
        "topic": message.topic,
        "headers": dict(message.headers),
        "body": message.body.decode("utf-8", "replace"),
        "received_at": message.received_at,
        "buried_at": letter.buried_at,
        "attempts": letter.attempts,
        "reason": letter.reason,
        "error": letter.error,
        "traceback": letter.traceback,
    }
