"""Published messages whose entry may be in its stream already, and the look for it. Pure, but for the question."""

from __future__ import annotations

from collections.abc import Iterable

from hub.backends.redis.entries import ID
from hub.backends.redis.group import PAGE, Id, after, parse_id
from hub.backends.redis.line import Line

MOST_PAGES = 200
"""Pages that are looked through: 200,000 entries. A stream that grew by more while an answer was lost is not read
whole; the messages are sent again then, and counted."""
SLACK = 60.0
"""Seconds by which the server's clock may be behind the hub's, for messages of an earlier run."""
_FIELD = ID.encode()


class Doubts:
    """Messages of which it is not known whether the server has executed their XADD: the connection was lost before the
    answer, or the hub ended before it could note it.

    Streams' ids only grow. So an entry that was added has an id above the highest one that the stream had before; it is
    looked for from there on, by the message's id, which is a field of it.
    """

    def __init__(self) -> None:
        self._since: dict[str, Id] = {}

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._since

    def add(self, message_id: str, since: bytes) -> None:
        """Note a message. :param since: an id that its entry's is above, if there is one."""
        known, given = self._since.get(message_id), parse_id(since)
        self._since[message_id] = given if known is None else min(known, given)

    def add_of_earlier_run(self, message_id: str, created: float) -> None:
        """Note a message that an earlier run of the hub may have sent. :param created: epoch seconds."""
        self.add(message_id, b"%d-0" % max(0, int((created - SLACK) * 1000)))

    def remove(self, message_id: str) -> None:
        """Forget a message: it is settled."""
        self._since.pop(message_id, None)

    def look(self, line: Line, stream: str, message_ids: Iterable[str]) -> tuple[set[str], bool]:
        """Look for the entries of messages.

        :returns: ids of the messages that the stream has; and whether the look was complete.
        """
        missing = {message_id.encode(): message_id for message_id in message_ids if message_id in self._since}
        found: set[str] = set()
        if not missing:
            return found, True
        milliseconds, number = min(self._since[message_id] for message_id in missing.values())
        start = b"%d-%d" % (milliseconds, number)
        for _ in range(MOST_PAGES):
            rows = line.call("XRANGE", stream, start, "+", "COUNT", PAGE)
            for _, fields in rows:
                for name, value in zip(fields[::2], fields[1::2], strict=True):
                    if name == _FIELD and value in missing:
                        found.add(missing.pop(value))
            if len(rows) < PAGE or not missing:
                return found, True
            start = after(rows[-1][0])
        return found, False
