"""A consumer group of one stream: the commands that the hub needs of it, and what they answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.backends.redis.line import ErrorReply, Line
from hub.backends.redis.settings import Config

PAGE = 1000
"""Entries that are asked for at once."""
MOST_COUNTED = 1000
"""Unread entries that are counted one by one; of more the number is an upper bound."""
Id = tuple[int, int]


class Found(msgspec.Struct, gc=False):
    """An entry as it was read. :ivar fields: ``None``: it was trimmed or deleted while somebody had it."""

    id: bytes
    fields: Sequence[bytes] | None


@dataclass(frozen=True)
class Claimed:
    """Entries taken over from somebody. :ivar cursor: where to go on; ``0-0``: all were looked at.

    :ivar gone: ids that the server forgot, as their entries were trimmed or deleted.
    """

    cursor: bytes
    entries: list[Found]
    gone: list[bytes]


@dataclass(frozen=True)
class Numbers:
    """Numbers of a group. :ivar pending: entries that some hub has. :ivar unread: entries that nobody was given.

    :ivar exact: false if ``unread`` is an upper bound. :ivar floor: everything below it is acknowledged.
    """

    pending: int
    unread: int
    exact: bool
    floor: bytes


class Group:
    """The group that the hub reads one stream with.

    :param consumer: this hub's name in the group.
    :ivar floor: everything below it was acknowledged when it was last looked at; ``None``: that is not known. A group
        that was deleted begins there again. :ivar is_ready: whether it can be read, as the reader saw it last.
    """

    def __init__(self, stream: str, config: Config, consumer: str) -> None:
        self.stream = stream
        self.floor: bytes | None = None
        self.is_ready = False
        self._group = config.group
        self._consumer = consumer
        self._first = b"0" if config.start == "oldest" else b"$"

    def open(self, line: Line, last: bytes) -> bool:
        """See that it can be read. Make the group, and the stream, where they are missing; else nothing is written, as
        a server that is full may refuse that.

        :param last: an id above all others. :returns: whether the group was missing.
        """
        try:
            self.history(line, last, 1)
        except ErrorReply as error:
            if error.code != "NOGROUP":
                raise
        else:
            return False
        self._create(line)
        self.history(line, last, 1)
        return True

    def _create(self, line: Line) -> None:
        """Make the group. It begins at :attr:`floor`, unless the stream is a new one whose ids are lower."""
        start = self.floor or self._first
        if self.floor is not None:
            last = line.call("XREVRANGE", self.stream, "+", "-", "COUNT", 1)
            if not last or parse_id(last[0][0]) < parse_id(self.floor):
                start = b"0"
        try:
            line.call("XGROUP", "CREATE", self.stream, self._group, start, "MKSTREAM")
        except ErrorReply as error:
            if error.code != "BUSYGROUP":
                raise

    def history(self, line: Line, after: bytes, count: int) -> list[Found]:
        """Read what this hub was given already, and has not acknowledged. :param after: an id."""
        command = ("XREADGROUP", "GROUP", self._group, self._consumer, "COUNT", count, "STREAMS", self.stream, after)
        reply = line.call(*command)
        return found_in(reply[0][1]) if reply else []

    def acknowledging(self, ids: Sequence[bytes]) -> Sequence[object]:
        """The command that acknowledges entries."""
        return ("XACK", self.stream, self._group, *ids)

    def deliveries(self, line: Line, ids: Sequence[bytes]) -> dict[bytes, int]:
        """Numbers of deliveries by entry. :param ids: in ascending order; of this hub's. It has others in hand,
        whose ids may lie between them: they count for the page, and not for the answer."""
        wanted, counts, start = frozenset(ids), {}, ids[0]
        while True:
            rows = line.call("XPENDING", self.stream, self._group, start, ids[-1], PAGE, self._consumer)
            counts.update({row[0]: int(row[3]) for row in rows if row[0] in wanted})
            if len(rows) < PAGE or len(counts) == len(wanted):
                return counts
            start = b"(" + rows[-1][0]

    def is_pending(self, line: Line, entry_id: bytes) -> bool:
        """True if somebody has the entry, and has not acknowledged it."""
        return bool(line.call("XPENDING", self.stream, self._group, entry_id, entry_id, 1))

    def aged(self, line: Line, idle: float, after: bytes) -> list[bytes]:
        """Ids of entries of this hub without a sign of life for some seconds. :param after: an id."""
        place = ("IDLE", int(idle * 1000), b"(" + after if after else b"-", "+", PAGE, self._consumer)
        return [row[0] for row in line.call("XPENDING", self.stream, self._group, *place)]

    def freshen(self, line: Line, ids: Sequence[bytes]) -> None:
        """Give a sign of life for entries of this hub. It counts as no delivery."""
        line.call("XCLAIM", self.stream, self._group, self._consumer, 0, *ids, "JUSTID")

    def claim(self, line: Line, idle: float, cursor: bytes, count: int) -> Claimed:
        """Take entries over that somebody has had for ``idle`` seconds without a sign of life."""
        place = (int(idle * 1000), cursor, "COUNT", count)
        reply = line.call("XAUTOCLAIM", self.stream, self._group, self._consumer, *place)
        return Claimed(reply[0], found_in(reply[1]), list(reply[2]) if len(reply) > 2 else [])

    def numbers(self, line: Line) -> Numbers:
        """Count by ourselves: the server's own ``lag`` is wrong, or null, once entries were trimmed or deleted."""
        stream, row = self._stream(line), self._row(line)
        delivered = row[b"last-delivered-id"]
        pending = int(row[b"pending"])
        floor = self._floor(line, pending, delivered)
        unread, exact = self._unread(line, stream, delivered, row.get(b"lag"))
        return Numbers(pending, unread, exact, floor)

    def _stream(self, line: Line) -> dict[bytes, Any]:
        return _table(line.call("XINFO", "STREAM", self.stream))

    def _row(self, line: Line) -> dict[bytes, Any]:
        for row in map(_table, line.call("XINFO", "GROUPS", self.stream)):
            if row[b"name"] == self._group.encode():
                return row
        raise ErrorReply(f"NOGROUP the stream {self.stream!r} has no group {self._group!r}")

    def _floor(self, line: Line, pending: int, delivered: bytes) -> bytes:
        if not pending:
            return delivered
        lowest = line.call("XPENDING", self.stream, self._group)[1]
        return before(lowest) if lowest else delivered

    def _unread(self, line: Line, stream: dict[bytes, Any], delivered: bytes, lag: int | None) -> tuple[int, bool]:
        length, after = int(stream[b"length"]), parse_id(delivered)
        if not length or after >= parse_id(stream[b"last-generated-id"]):
            return 0, True
        if after < parse_id(stream[b"first-entry"][0]):
            return length, True
        counted = len(line.call("XRANGE", self.stream, b"(" + delivered, "+", "COUNT", MOST_COUNTED))
        if counted < MOST_COUNTED:
            return counted, True
        return (length if lag is None else max(counted, min(length, int(lag)))), False


def floors(line: Line, stream: str) -> list[tuple[bytes, bytes]]:
    """Name and floor of each group of a stream: what is not above it the group has acknowledged."""
    found = []
    for row in map(_table, line.call("XINFO", "GROUPS", stream)):
        lowest = line.call("XPENDING", stream, row[b"name"])[1] if int(row[b"pending"]) else None
        found.append((row[b"name"], before(lowest) if lowest else row[b"last-delivered-id"]))
    return found


def found_in(reply: Sequence[Any]) -> list[Found]:
    """Entries of an answer. Redis 6.2 answers nothing in the place of a claimed one that was deleted."""
    return [Found(row[0], row[1]) for row in reply if row is not None]


def parse_id(text: bytes) -> Id:
    """An id as two numbers, which compare as the server compares them."""
    milliseconds, _, number = text.partition(b"-")
    return int(milliseconds), int(number or 0)


def before(text: bytes) -> bytes:
    """The id just before another one."""
    milliseconds, number = parse_id(text)
    if number:
        return b"%d-%d" % (milliseconds, number - 1)
    return b"%d-%d" % (milliseconds - 1, (1 << 64) - 1) if milliseconds else b"0-0"


def after(text: bytes) -> bytes:
    """The id just after another one."""
    milliseconds, number = parse_id(text)
    return b"%d-%d" % (milliseconds, number + 1) if number < (1 << 64) - 1 else b"%d-0" % (milliseconds + 1)


def _table(row: Sequence[Any]) -> dict[bytes, Any]:
    return dict(zip(row[::2], row[1::2], strict=True))
