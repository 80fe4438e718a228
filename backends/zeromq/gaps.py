"""Holes in publishers' ``seq_id`` numbers: messages that were sent and never came."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

Publisher = tuple[str, str, str]
"""Who counts, as far as can be told: the address its connection comes from, its certificate (or user name where it
signs nothing), and the first three words of the topic. fedmsg numbers per store, and names no store on the wire: two
stores of one user on one host are one publisher here, and so are several hosts behind one relay."""

_RESTART = 1_000_000
"""A jump beyond this is a new numbering, not a million lost messages."""
MOST_NUMBERINGS = 8
"""Of one publisher that are told apart; the one not heard for longest goes first."""


class Last(NamedTuple):
    """The last message of one numbering.

    :ivar number: its ``seq_id``. :ivar sent: its ``i``, by which the publishing process counts; ``None``: it has none.
    """

    number: int
    sent: int | None


class Gaps:
    """Counts missing messages per publisher, the most recently heard ``limit`` of them.

    A publisher may have several numberings, and may begin a new one. So a jump is told as a gap only where it is
    certain: where ``i`` has jumped by as much since a message of the same publisher. Going back is a restart or a
    replay, not a gap.

    A publisher is only followed while *everything* under its three words is subscribed: of a narrower subscription
    the holes are wanted.
    """

    def __init__(self, limit: int = 1000) -> None:
        self.missing = 0
        self._limit = limit
        self._heard: dict[Publisher, list[Last]] = {}
        self._prefixes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self._heard)

    def watch(self, prefixes: Collection[bytes]) -> None:
        """The subscriptions have changed. Numbers are forgotten: what was not subscribed did not come."""
        self._prefixes = tuple(prefix.decode() for prefix in prefixes)
        self._heard.clear()

    def note(self, publisher: Publisher, number: int, sent: int | None = None) -> int:
        """A message came. :param sent: its ``i``. :returns: how many are missing before it."""
        if not publisher[2].startswith(self._prefixes):
            return 0
        heard = self._heard.pop(publisher, [])
        if not heard and len(self._heard) >= self._limit:
            del self._heard[next(iter(self._heard))]
        self._heard[publisher] = heard
        before = _before(heard, number, sent)
        if before is not None:
            heard.remove(before)
        heard.append(Last(number, sent))
        del heard[:-MOST_NUMBERINGS]
        missing = number - before.number - 1 if before is not None and before.number < number else 0
        self.missing += missing
        return missing


def _before(heard: Collection[Last], number: int, sent: int | None) -> Last | None:
    """The message that this one comes after in its numbering, or repeats; ``None``: it begins another numbering."""
    for last in heard:
        if last.number in (number, number - 1):
            return last
    lost = [last for last in heard if 1 < number - last.number <= _RESTART and _agree(last, number, sent)]
    return max(lost, default=None)


def _agree(last: Last, number: int, sent: int | None) -> bool:
    return sent is not None and last.sent is not None and sent - last.sent == number - last.number


def stem(topic: str) -> str:
    """The first three words of a topic, each with its dot."""
    words = topic.split(".", 3)
    return ".".join(words[:3]) + "."
