"""Something in a store that is not as it should be."""

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
"""What can be wrong; :mod:`hub.store.fsck.repair` has a way to mend each, but for ``structure``.

=========== ================================================================================
structure   LMDB's own pages; only a rescue helps
damaged     a record that can't be read
misplaced   a good record under a key that is not its own
unindexed   messages of a page that the index does not lead to
marks       what ``refs`` and ``spent`` say of a page
orphan      a page that nobody needs
dangling    an entry of the index without its page
settled     an entry of the index of messages that are settled
overlap     two entries of the index for one position
beyond      a position, or a number of a dead letter, that is not given yet
missing     messages that are neither settled nor there
unknown     something of a queue that there is not
row         a row that says nothing, of ``refs``, ``spent`` or ``tries``, or under a key that is none
letters     the count of dead letters
books       a queue's record that contradicts itself
highest     the number of the newest queue
=========== ================================================================================
"""


class Problem(NamedTuple):
    """One of them.

    :ivar text: for people. :ivar key: of the row in the table.
    :ivar queue: its number; 0 where it is about no queue. :ivar start: of the positions it is about.
    :ivar stop: the position after the last one. :ivar wanted: what should be there.
    """

    kind: Kind
    text: str
    table: str = ""
    key: bytes = b""
    queue: int = 0
    start: int = 0
    stop: int = 0
    wanted: Any = None

    def document(self) -> Mapping[str, Any]:
        """For programs."""
        found: dict[str, Any] = {"problem": self.kind, "text": self.text}
        if self.table:
            found |= {"table": self.table, "key": self.key.hex()}
        if self.stop > self.start:
            found |= {"queue": self.queue, "start": self.start, "stop": self.stop}
        return found


def positions(start: int, stop: int) -> str:
    """For people: the first and the last."""
    return f"position {start}" if stop == start + 1 else f"positions {start} to {stop - 1}"
