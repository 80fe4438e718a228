"""Delivery of read entries to the hub: from a thread that reads to the intake in the reactor's thread."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.backends.redis.entries import body_of, message_of
from hub.backends.redis.formats import format_of
from hub.backends.redis.group import Found
from hub.backends.redis.in_hand import Entry, InHand
from hub.backends.redis.settings import Config
from hub.backends.unusable import Unusable, unread
from hub.interfaces import BackendContext, Intake
from hub.message import Message


class Burial(msgspec.Struct, frozen=True):
    """An entry that is given up. :ivar fields: moved to the stream of refused ones; ``None``: there is nothing left."""

    entry: Entry
    reason: str
    fields: Sequence[bytes] | None


class Batch(msgspec.Struct):
    """What one answer of the server brought. :ivar refused: unusable messages, each with its kind and reason."""

    messages: list[Message] = []
    tokens: list[Entry] = []
    refused: list[tuple[Message, str, str]] = []
    burials: list[Burial] = []
    size: int = 0
    again: int = 0


class Deliveries:
    """Passes entries on. :meth:`deliver` is called by threads, the rest by the reactor's.

    :ivar burials: entries to be given up, for the keeper to take.
    """

    def __init__(self, context: BackendContext, in_hand: InHand) -> None:
        self.received = self.bytes = self.redelivered = 0
        self.malformed: Counter[str] = Counter()
        self.burials: deque[Burial] = deque()
        self._context = context
        self._config: Config = context.config
        self._format = format_of(self._config, context.wall)
        self._in_hand = in_hand
        self._intake: Intake | None = None
        self._paused = False
        self._held: list[Batch] = []

    def start(self, intake: Intake) -> None:
        """Pass messages to this intake."""
        self._intake = intake

    def deliver(self, stream: str, entries: Sequence[Found], counts: dict[bytes, int] | None = None) -> None:
        """Deliver entries. :param counts: how often each was delivered; ``None``: it is the first time."""
        if not entries:
            return
        self._in_hand.add(stream, [entry.id for entry in entries])
        batch, now = Batch([], [], [], []), self._context.wall()
        for entry in entries:
            self._add(batch, stream, entry, now, None if counts is None else counts.get(entry.id, 1))
        self._context.reactor.callFromThread(self._arrived, batch)

    def _add(self, batch: Batch, stream: str, entry: Found, now: float, count: int | None) -> None:
        token, fields = Entry(stream, entry.id), entry.fields
        again = count is not None
        shown = Message(f"{stream}/{entry.id.decode()}", stream, b"", received_at=now, backend=self._context.name)
        if not fields:
            self._refuse(batch, token, Unusable("trimmed", "it was trimmed before it was worked", shown), None)
            return
        try:
            message = message_of(stream, entry.id, fields, self._config, self._format, now, self._context.name, again)
            if count is not None and count > (self._config.max_deliveries or count):
                raise Unusable("deliveries", f"it was delivered {count} times, and never acknowledged", message)
        except Unusable as error:
            self._refuse(batch, token, error, fields)
            return
        except Exception as error:  # noqa: BLE001 - the others must not wait for it
            shown = replace(shown, body=body_of(fields))
            self._refuse(batch, token, unread(error, shown, self._context.log), fields)
            return
        batch.again += again
        batch.size += sum(map(len, fields))
        batch.messages.append(message)
        batch.tokens.append(token)

    def _refuse(self, batch: Batch, token: Entry, error: Unusable, fields: Sequence[bytes] | None) -> None:
        batch.refused.append((error.shown, error.kind, str(error)))
        batch.burials.append(Burial(token, str(error), fields))

    def gone(self, stream: str, ids: Sequence[bytes]) -> None:
        """Report entries that the server forgot: they were trimmed or deleted while somebody had them. Those that this
        hub has in hand are not lost."""
        lost = self._in_hand.without(stream, ids)
        self.deliver(stream, [Found(one, None) for one in ids if one in lost])

    # -- the reactor's thread

    def _arrived(self, batch: Batch) -> None:
        if self._paused:
            self._held.append(batch)
        else:
            self._pass_on(batch)

    def _pass_on(self, batch: Batch) -> None:
        assert self._intake is not None
        self.received += len(batch.messages) + len(batch.refused)
        self.bytes += batch.size
        self.redelivered += batch.again
        for message, kind, reason in batch.refused:
            self.malformed[kind] += 1
            self._intake.refuse(message, reason)
        self.burials.extend(batch.burials)
        if batch.messages:
            self._intake.receive(batch.messages, batch.tokens)
        if batch.burials:
            self._in_hand.settle([])

    def pause(self) -> None:
        """Hold what arrives."""
        self._paused = True

    def resume(self) -> None:
        """Pass on what was held, and what arrives."""
        self._paused = False
        held, self._held = self._held, []
        for batch in held:
            self._pass_on(batch)

    def status(self) -> dict[str, Any]:
        """Counters."""
        return {
            "received": self.received,
            "bytes": self.bytes,
            "malformed": dict(self.malformed),
            "redelivered": self.redelivered,
            "unacknowledged": len(self._in_hand),
            "held_bytes": sum(batch.size for batch in self._held),
        }
