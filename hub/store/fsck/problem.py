"""A problem in a store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Kind = Literal[
    "structure",
    "damaged",
    "misplaced",
    "unindexed",
    "marks",
    "orphan",
    "dangling",
    "settled",
    "overlap",
    "beyond",
    "missing",
    "unknown",
    "row",
    "letters",
    "books",
    "highest",
]
"""Kinds of problems.

=========== ================================================================================
structure   LMDB can't read all of the file
damaged     a record that can't be read
misplaced   a good record under a key that is not its own
unindexed   messages in a page without an index entry
marks       a wrong row of a page in ``refs`` or ``spent``
orphan      a page that no queue needs
dangling    an index entry without its page
settled     an index entry of settled messages
overlap     two index entries for one position
beyond      a position, or a number of a dead letter, that is not assigned yet
missing     messages that are neither settled nor in the store
unknown     rows of a queue without a record
row         a row of ``refs``, ``spent``, ``tries`` or ``levels`` without meaning, or under an invalid key
letters     a wrong count of dead letters
books       a queue's record that contradicts itself
highest     a wrong highest number of queues, or a noted number of the next page that can't be
=========== ================================================================================
"""
MOST_QUEUES = 1 << 31
"""Upper bound of queue numbers."""


class Problem(NamedTuple):
    """A problem in a store.

    :ivar text: for people. :ivar key: key of the row in the table.
    :ivar queue: number of the queue; 0: none. :ivar start: the first position concerned.
    :ivar stop: the position after the last one.
    """

    kind: Kind
    text: str
    table: str = ""
    key: bytes = b""
    queue: int = 0
    start: int = 0
    stop: int = 0

    def document(self) -> Mapping[str, Any]:
        """The problem for programs."""
        found: dict[str, Any] = {"problem": self.kind, "text": self.text}
        if self.table:
            found |= {"table": self.table, "key": self.key.hex()}
        if self.stop > self.start:
            found |= {"queue": self.queue, "start": self.start, "stop": self.stop}
        return found


def positions(start: int, stop: int) -> str:
    """Describe a range of positions, for people."""
    return f"position {start}" if stop == start + 1 else f"positions {start} to {stop - 1}"
