"""Gaps in publishers' ``seq_id`` numbers: messages that were sent and never arrived."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

Publisher = tuple[str, str, str]
"""Publisher, as far as it can be identified: the address of its connection, its certificate (or user name if it does
not sign), and the first three words of the topic. fedmsg numbers messages per store and does not send the store's name:
two stores of one user on one host are one publisher here, and so are several hosts behind one relay."""

_RESTART = 1_000_000
"""Jump in numbers beyond which a new numbering is assumed, not a million lost messages."""
MOST_NUMBERINGS = 8
"""Numberings kept of one publisher; the least recently used is forgotten first."""


class Last(NamedTuple):
    """Last message of one numbering.

    :ivar number: its ``seq_id``. :ivar sent: its ``i``, the publishing process's own count; ``None``: it has none.
    """

    number: int
    sent: int | None


class Gaps:
    """Gap counter of the ``limit`` most recently seen publishers.

    A publisher may have several numberings, and may start a new one. So a jump counts as a gap only if ``i`` has jumped
    by as much since a message of the same publisher. A lower number is a restart or a replay, not a gap.

    A publisher is only followed while *everything* under its three words is subscribed: a narrower subscription has
    gaps by design.
    """

    def __init__(self, limit: int = 1000) -> None:
        self.missing = 0
        self._limit = limit
        self._heard: dict[Publisher, list[Last]] = {}
        self._prefixes: set[str] = set()
        self._followed: dict[str, bool] = {}

    def __len__(self) -> int:
        return len(self._heard)

    def watch(self, new: Iterable[bytes], gone: Iterable[bytes] = ()) -> None:
        """Update the subscribed prefixes. Numbers of the publishers that they cover are forgotten: messages that were
        not subscribed to did not arrive."""
        added, removed = {one.decode() for one in new}, {one.decode() for one in gone}
        self._prefixes = (self._prefixes - removed) | added
        changed = tuple(added | removed)
        self._heard = {who: heard for who, heard in self._heard.items() if not who[2].startswith(changed)}
        self._followed = {words: so for words, so in self._followed.items() if not words.startswith(changed)}

    def _follows(self, words: str) -> bool:
        if words not in self._followed:
            if len(self._followed) >= self._limit:
                self._followed.clear()
            self._followed[words] = any(words[:length] in self._prefixes for length in range(len(words) + 1))
        return self._followed[words]

    def note(self, publisher: Publisher, number: int, sent: int | None = None) -> int:
        """Note a message. :param number: its ``seq_id``. :param sent: its ``i``. :returns: messages missing before."""
        if not self._follows(publisher[2]):
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
    """Message that this one follows in its numbering, or repeats; ``None``: it starts another numbering."""
    for last in heard:
        if last.number in (number, number - 1):
            return last
    lost = [last for last in heard if 1 < number - last.number <= _RESTART and _agree(last, number, sent)]
    return max(lost, default=None)


def _agree(last: Last, number: int, sent: int | None) -> bool:
    return sent is not None and last.sent is not None and sent - last.sent == number - last.number


def stem(topic: str) -> str:
    """First three words of a topic, each with its dot."""
    words = topic.split(".", 3)
    return ".".join(words[:3]) + "."
