"""Verb on refused input."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from hub.control.dead_letters import PIECE
from hub.control.hub import HubVerb
from hub.control.verbs.dead import Number, ShownLetter, shown
from hub.errors import NotFound
from hub.http.verb import Stream
from hub.refused import PREFIX


class RefusedOrder(msgspec.Struct, forbid_unknown_fields=True):
    """Backend, empty for all, and optionally the number of one message."""

    backend: str = ""
    number: Number | None = None


class RefusedMessages(msgspec.Struct):
    """Refused messages, truncated, the oldest of each backend first; ``reason``: why each could not be used."""

    refused: list[ShownLetter]


class Refused(HubVerb):
    """List refused messages: the last ones of each backend that were not JSON, too large, or otherwise unusable."""

    path, about, access, order, result = "refused", "backend", "contents", RefusedOrder, RefusedMessages

    def carry_out(self, order: RefusedOrder) -> RefusedMessages | Stream:
        """Return one message, or a stream of all."""
        backends = self._backends(order.backend)
        if order.number is None:
            return Stream(self._pieces(backends))
        found = [self.hub.store.letter(PREFIX + backend, order.number) for backend in backends]
        return RefusedMessages([shown(letter) for letter in found if letter is not None])

    def _backends(self, wanted: str) -> list[str]:
        """Names of the backends to list; all for an empty name. :raises NotFound: no backend has that name."""
        known = sorted({*self.hub.enqueuer.refused.backends(), *self.hub.flow.backends})
        if wanted and wanted not in known:
            raise NotFound(f"no backend is called {wanted!r}: there are {', '.join(known) or 'none'}")
        return [wanted] if wanted else known

    def _pieces(self, backends: list[str]) -> Iterator[bytes]:
        begin = b'{"refused":['
        for backend in backends:
            after = 0
            while letters := self.hub.store.dead_letters(PREFIX + backend, after, PIECE):
                yield begin + b",".join([msgspec.json.encode(shown(letter)) for letter in letters])
                after, begin = letters[-1].number, b","
        yield b"]}\n" if begin == b"," else begin + b"]}\n"
