"""Reader of pub/sub channels: the user of the connection that listens. What is sent while it does not is lost."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from hub.backends.redis.entries import message_of
from hub.backends.redis.formats import format_of
from hub.backends.redis.line import Line, Lost
from hub.backends.redis.settings import Config
from hub.backends.unusable import Unusable, unread
from hub.interfaces import BackendContext, Intake
from hub.message import Message, new_id

WAIT = 0.5
"""Seconds to wait for a message."""
QUIET = 5.0
"""Seconds without a message after which the connection is tried."""
AT_ONCE = 500
PATTERN = frozenset("*?[")
"""Characters that make a channel's name a pattern."""
MESSAGES = (b"message", b"pmessage")
CONFIRMATIONS = (b"subscribe", b"psubscribe")


class ChannelReader:
    """Listens to channels. The link's thread calls it, but for ``pause`` and ``resume``.

    While the hub has no room, or has not taken the last batch yet, it does not read on: the server keeps messages up to
    its limit for such clients, then ends the connection, and they are lost.
    """

    wait = 0.0

    def __init__(self, context: BackendContext) -> None:
        self.received = self.bytes = 0
        self.malformed: dict[str, int] = {}
        self._context = context
        self._config: Config = context.config
        self._format = format_of(self._config, context.wall)
        self._intake: Intake | None = None
        self._going = threading.Event()
        self._going.set()
        self._stops = False
        self._quiet = 0.0
        self._held: list[tuple[list[Message], list[tuple[Message, str, str]], int]] = []
        self._taken = threading.Condition()
        self._on_its_way = False

    def start(self, intake: Intake) -> None:
        """Pass messages to this intake."""
        self._intake = intake

    def prepare(self, line: Line) -> None:
        """Subscribe, and wait for the server's confirmation of each."""
        for command, channels in (("SUBSCRIBE", self._channels(False)), ("PSUBSCRIBE", self._channels(True))):
            if channels:
                line.send(command, *channels)
                self._confirmed(line, len(channels))
        self._quiet = 0.0

    def _channels(self, patterns: bool) -> list[str]:
        return [one for one in self._config.channels if bool(PATTERN & set(one)) is patterns]

    def _confirmed(self, line: Line, left: int) -> None:
        while left:
            reply = line.read()
            left -= reply[0] in CONFIRMATIONS
            self._pass_on([reply])  # the first subscription brings some messages already

    def step(self, line: Line) -> None:
        """Read what there is, or wait for some."""
        if not self._going.wait(WAIT) or self._stops:
            return
        if not line.waits(WAIT):
            self._quiet += WAIT
            if self._quiet >= QUIET:
                self._quiet = 0.0
                line.send("PING")
                reply = line.read()
                if reply[0] not in (b"pong", *MESSAGES):
                    raise Lost("it does not answer a PING")
                self._pass_on([reply])  # a message may come before the answer
            return
        self._quiet = 0.0
        replies = [line.read()]
        while len(replies) < AT_ONCE and line.waits(0):
            replies.append(line.read())
        self._pass_on(replies)

    def _pass_on(self, replies: Sequence[Any]) -> None:
        now = self._context.wall()
        messages: list[Message] = []
        refused: list[tuple[Message, str, str]] = []
        size = 0
        for reply in replies:
            if reply[0] not in MESSAGES:
                continue
            channel, body = reply[-2].decode("utf-8", "replace"), reply[-1]
            size += len(channel) + len(body)
            try:
                fields = (b"id", new_id(now).encode(), b"body", body)
                messages.append(message_of(channel, b"0", fields, self._config, self._format, now, self._context.name))
            except Unusable as error:
                refused.append((error.shown, error.kind, str(error)))
            except Exception as error:  # noqa: BLE001 - the others must not go with it
                shown = Message("", channel, body, received_at=now, backend=self._context.name)
                bug = unread(error, shown, self._context.log)
                refused.append((bug.shown, bug.kind, str(bug)))
        if messages or refused:
            self._hand_over(messages, refused, size)

    def _hand_over(self, *batch: Any) -> None:
        """Give a batch to the hub, once it has taken the one before: its memory is bounded however slow it is."""
        with self._taken:
            self._taken.wait_for(lambda: not self._on_its_way or self._stops)
            self._on_its_way = True
        self._context.reactor.callFromThread(self._arrived, *batch)

    def finish(self, line: Line) -> None:
        """Do nothing: what is unread is lost."""

    def lost(self, reason: str) -> None:
        """What is sent now is lost; the link counts the lost connection."""

    def wake(self) -> None:
        """End the waits."""
        with self._taken:
            self._stops = True
            self._taken.notify()
        self._going.set()

    # -- the reactor's thread

    def _arrived(self, messages: list[Message], refused: list[tuple[Message, str, str]], size: int) -> None:
        if not self._going.is_set():
            self._held.append((messages, refused, size))
            return
        with self._taken:
            self._on_its_way = False
            self._taken.notify()
        assert self._intake is not None
        self.received += len(messages) + len(refused)
        self.bytes += size
        for message, kind, reason in refused:
            self.malformed[kind] = self.malformed.get(kind, 0) + 1
            self._intake.refuse(message, reason)
        if messages:
            self._intake.receive(messages)

    def pause(self) -> None:
        """Read no more."""
        self._going.clear()

    def resume(self) -> None:
        """Read again."""
        self._going.set()
        held, self._held = self._held, []
        for one in held:
            self._arrived(*one)

    def status(self) -> dict[str, Any]:
        """Counters."""
        return {
            "received": self.received,
            "bytes": self.bytes,
            "malformed": dict(self.malformed),
            "held_bytes": sum(size for *_, size in self._held),
        }
