"""Takes messages from a SUB socket, a budget of them at a time."""

from __future__ import annotations

import logging
import traceback

import zmq

from hub.backends.zeromq.frames import Pair, Parser
from hub.backends.zeromq.sockets import Socket
from hub.interfaces import Clock, Intake
from hub.message import Message

BYTES = 64 << 20
"""Taken at most in one turn, beside the budget of messages: 200 of the largest would be 1.6 GB."""
AT_ONCE = 64
"""Taken before they are parsed: few enough that ZeroMQ's buffers are still in the processor's cache when they are
freed, which is a twentieth of a message's cost."""
FRAMES = 1000
"""Taken at a time of a message that has too many: a million are 2 MB to who sends them, and two seconds to us."""


class Reader:
    """Reads one socket.

    :ivar received: messages made. :ivar bytes: of bodies, those of malformed messages too.
    :ivar lost: messages that the parser or the intake failed to take, by a fault in the hub.
    :ivar surplus: how many frames were taken of a message of too many, which has more of them; 0: all messages that
        were begun were taken whole.
    """

    def __init__(self, socket: Socket, parser: Parser, intake: Intake, wall: Clock, budget: int) -> None:
        self.received = 0
        self.bytes = 0
        self.lost = 0
        self.surplus = 0
        self._socket = socket
        self._parser = parser
        self._intake = intake
        self._wall = wall
        self._budget = budget

    def drain(self) -> bool:
        """Hand over what there is, within the budget, as one batch. Returns whether there may be more."""
        now = self._wall()
        messages: list[Message] = []
        more, left = True, self._budget
        before = self.bytes
        while more and left > 0 and self.bytes - before < BYTES:
            pairs, more = self._take(min(left, AT_ONCE))
            self._parse(pairs, now, messages)
            left -= AT_ONCE
        if messages:
            self.received += len(messages)
            self._hand_over(messages)
        return more

    def _parse(self, pairs: list[Pair], now: float, messages: list[Message]) -> None:
        """Where the parser fails, it has one message less to take: a fault of the hub that one message can provoke must
        cost no other, nor keep us from reading on, for ZeroMQ drops what is not read."""
        rest = iter(pairs)
        for _ in pairs:
            try:
                self._parser.parse(rest, now, messages)
            except Exception as error:  # noqa: BLE001
                self.lost += 1
                self._parser.notice("bug", logging.ERROR, f"a fault in the hub, a message is lost: {_told(error)}")
            else:
                return

    def _hand_over(self, messages: list[Message]) -> None:
        try:
            self._intake.receive(messages)
        except Exception:
            self.lost += len(messages)
            raise

    def discard(self) -> tuple[int, bool]:
        """Take what there is, within the budget, and drop it. Returns how many, and whether there may be more."""
        pairs, more = self._take(self._budget)
        return len(pairs), more

    def attend(self) -> bool:
        """Read nothing, but let ZeroMQ tell new peers our subscriptions. Returns ``False``: nothing is left to do."""
        self._socket.get(zmq.EVENTS)
        return False

    def _take(self, count: int) -> tuple[list[Pair], bool]:
        """Frames are taken without a copy: that way ``more`` comes with each, not by a call of its own."""
        pairs: list[Pair] = []
        append, recv, noblock = pairs.append, self._socket.recv, zmq.NOBLOCK
        size = 0
        try:
            if self.surplus and not self._skip():
                return pairs, True
            for _ in range(count):
                topic = recv(noblock, False)
                if topic.more:
                    body = recv(noblock, False)
                    size += len(body)
                    if not body.more:
                        append((topic.bytes, body))
                        if size > BYTES:
                            break
                        continue
                    self.surplus = 2
                    if not self._skip():
                        break
                else:
                    size += len(topic)
                    self._parser.fault("frames", "a message of 1 frame, where 2 are expected")
        except zmq.Again:
            return pairs, False
        finally:
            self.bytes += size
        return pairs, True

    def _skip(self) -> bool:
        """Go on with the rest of a message of too many frames, which is there as a whole. Returns whether it ended."""
        recv = self._socket.recv
        for _ in range(FRAMES):
            self.surplus += 1
            if not recv(zmq.NOBLOCK, False).more:
                count, self.surplus = self.surplus, 0
                self._parser.fault("frames", f"a message of {count} frames, where 2 are expected")
                return True
        return False


def _told(error: Exception) -> str:
    """What it is and where, escaped and short."""
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    return f"{type(error).__name__} in {frame.f_code.co_name}, line {line}: {str(error)[:200]!a}"
