"""The verb on input that can't be used."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from twisted.web.server import Request

from hub.control.verbs.dead import PIECE, Number, ShownLetter, shown
from hub.control.verbs.pieces import Pieces
from hub.control.verbs.verb import Verb, answer, code_of
from hub.errors import HubError


class RefusedOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Of which backend; empty: of all. ``number``: only that one."""

    backend: str = ""
    number: Number | None = None


class RefusedMessages(msgspec.Struct):
    """Messages, cut, the oldest of each backend first; ``reason`` says why it could not be used."""

    refused: list[ShownLetter]


class Refused(Verb):
    """The last messages of each backend that could not be used, such as a body that is no JSON, or too large."""

    path, about, access, order, result = "refused", "backend", "contents", RefusedOrder, RefusedMessages

    def respond(self, request: Request, order: RefusedOrder, who: str) -> None:
        """Answer with all, in pieces."""
        try:
            backends = self.hub.steering.refusing(order.backend)
        except HubError as error:
            answer(request, {"problems": [str(error)]}, code_of(error))
            return
        if order.number is not None:
            found = [self.hub.steering.refused_one(backend, order.number) for backend in backends]
            answer(request, RefusedMessages([shown(letter) for letter in found if letter is not None]))
            return
        request.setHeader(b"Content-Type", self.media.encode())
        Pieces(request, self._pieces(backends)).start()

    def _pieces(self, backends: list[str]) -> Iterator[bytes]:
        begin = b'{"refused":['
        for backend in backends:
            after = 0
            while letters := self.hub.steering.refused(backend, after, PIECE):
                yield begin + b",".join([msgspec.json.encode(shown(letter)) for letter in letters])
                after, begin = letters[-1].number, b","
        yield b"]}\n" if begin == b"," else begin + b"]}\n"
