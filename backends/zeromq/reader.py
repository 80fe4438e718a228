"""Reader of a SUB socket: takes messages, a budget of them per turn of the reactor."""

from __future__ import annotations

import logging
import traceback

import zmq

from hub.backends.zeromq.frames import Pair, Parser
from hub.backends.zeromq.sockets import Socket
from hub.interfaces import Clock, Intake
from hub.message import Message

BYTES = 64 << 20
"""Bytes taken in one turn at most, beside the budget of messages: 200 of the largest would be 1.6 GB."""
AT_ONCE = 64
"""Messages taken before they are parsed: few enough that ZeroMQ's buffers are still in the processor's cache when they
are freed, which saves a twentieth of a message's cost."""
TRUST_AFTER = 1000
"""Messages in a row whose bodies confirm their topics, after which topics are read in the cheaper way. It saves a third
of the cost of receiving a message."""
FRAMES = 1000
"""Frames skipped at a time of a message with too many: a million cost their sender 2 MB, and us two seconds."""


class Reader:
    """Reader of one socket.

    :ivar received: messages parsed. :ivar bytes: of bodies, those of malformed messages too.
    :ivar lost: messages lost by an internal error in the parser or the intake.
    :ivar surplus: frames already skipped of a message with too many, of which more remain; 0: every message begun was
        read whole.
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
        self._confirmed = 0

    def drain(self) -> bool:
        """Hand over waiting messages, within the budget, as one batch. :returns: whether there may be more."""
        now = self._wall()
        messages: list[Message] = []
        more, left = True, self._budget
        before = self.bytes
        while more and left > 0 and self.bytes - before < BYTES:
            doubts = self._parser.doubts
            pairs, more = self._take(min(left, AT_ONCE))
            self._parse(pairs, now, messages)
            self._confirmed = self._confirmed + len(pairs) if doubts == self._parser.doubts else 0
            left -= AT_ONCE
        if messages:
            self.received += len(messages)
            self._hand_over(messages)
        return more

    def _parse(self, pairs: list[Pair], now: float, messages: list[Message]) -> None:
        """Parse the pairs. If the parser raises, the message it failed on is skipped and counted as lost: an internal
        error that one message provokes must not cost others, nor stop the reading, for ZeroMQ drops what is not
        read."""
        rest = iter(pairs)
        for _ in pairs:
            try:
                self._parser.parse(rest, now, messages)
            except Exception as error:  # noqa: BLE001
                self.lost += 1
                self._parser.notice("bug", logging.ERROR, f"internal error, a message is lost: {_told(error)}")
            else:
                return

    def _hand_over(self, messages: list[Message]) -> None:
        try:
            self._intake.receive(messages)
        except Exception:
            self.lost += len(messages)
            raise

    def discard(self) -> tuple[int, bool]:
        """Read waiting messages, within the budget, and drop them.

        :returns: the number dropped, and whether there may be more.
        """
        pairs, more = self._take(self._budget)
        return len(pairs), more

    def attend(self) -> bool:
        """Read nothing, but let ZeroMQ send our subscriptions to new peers. :returns: ``False``: nothing is left."""
        self._socket.get(zmq.EVENTS)
        return False

    def _take(self, count: int) -> tuple[list[Pair], bool]:
        pairs: list[Pair] = []
        trusted = self._parser.confirms and self._confirmed >= TRUST_AFTER
        before = self.bytes
        try:
            if self.surplus and not self._skip():
                return pairs, True
            while len(pairs) < count and self.bytes - before < BYTES and not self.surplus:
                if trusted:
                    trusted = self._take_trusted(pairs, count - len(pairs))
                else:
                    self._take_checked(pairs, count - len(pairs))
                    break
        except zmq.Again:
            return pairs, False
        return pairs, True

    def _take_checked(self, pairs: list[Pair], count: int) -> None:
        """Read frames without a copy: each then carries ``more``, which else costs another call."""
        append, recv, noblock = pairs.append, self._socket.recv, zmq.NOBLOCK
        size = 0
        try:
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
                    self._alone()
        finally:
            self.bytes += size

    def _take_trusted(self, pairs: list[Pair], count: int) -> bool:
        """Read topics as copies, which cost less than frames but do not tell whether a body follows.

        A known topic is assumed to be followed by its body; if it is not, the next body shows it, for it names another
        topic. Of a new topic it is asked. :returns: ``False`` at the first message that is not as it should be.
        """
        append, recv, known, noblock = pairs.append, self._socket.recv, self._parser.known, zmq.NOBLOCK
        size, alone = 0, False
        try:
            for _ in range(count):
                topic = recv(noblock)
                if topic not in known and not self._socket.get(zmq.RCVMORE):
                    size += len(topic)
                    self._alone()
                    return False
                alone = True
                body = recv(noblock, False)
                alone = False
                if body.more:
                    size += self._realign(pairs, topic, body)
                    return False
                size += len(body)
                append((topic, body))
                if size > BYTES:
                    break
        except zmq.Again:
            if alone:
                size += len(topic)
                self._alone()
            raise
        finally:
            self.bytes += size
        return True

    def _realign(self, pairs: list[Pair], topic: bytes, second: zmq.Frame) -> int:
        """Realign after a frame that was read as a body is followed by another: the two are a message of their own and
        the topic before was alone, or all are one message of too many frames.

        :returns: the bytes to count.
        """
        third = self._socket.recv(zmq.NOBLOCK, False)
        if not third.more and self._parser.confirmed(second.bytes, third.bytes):
            self._alone()
            pairs.append((second.bytes, third))
            return len(topic) + len(third)
        if third.more:
            self.surplus = 3
            self._skip()
        else:
            self._surplus_of(3)
        return len(second)

    def _alone(self) -> None:
        self._parser.fault("frames", "a message of 1 frame, where 2 are expected")

    def _surplus_of(self, count: int) -> None:
        self._parser.fault("frames", f"a message of {count} frames, where 2 are expected")

    def _skip(self) -> bool:
        """Skip the rest of a message of too many frames, all of which have arrived. :returns: whether it ended."""
        recv = self._socket.recv
        for _ in range(FRAMES):
            self.surplus += 1
            if not recv(zmq.NOBLOCK, False).more:
                count, self.surplus = self.surplus, 0
                self._surplus_of(count)
                return True
        return False


def _told(error: Exception) -> str:
    """Class, place and text of an error, escaped and short."""
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    return f"{type(error).__name__} in {frame.f_code.co_name}, line {line}: {str(error)[:200]!a}"
