"""Counts for each received message the queues that have not settled it. Pure: no lock, no thread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

import msgspec

from hub.store import Range

Queue = TypeVar("Queue")
Source = TypeVar("Source")
Token = object


class _Waiting(msgspec.Struct, Generic[Source], eq=False):
    """A message. :ivar left: number of queues that have not settled it."""

    source: Source
    token: Token
    left: int = 0


class Unsettled(Generic[Queue, Source]):
    """Messages whose sender is told when all their queues have settled them.

    A position may stand for several messages: the sender gave the same one again while the first copy was unsettled.
    """

    def __init__(self) -> None:
        self._at: dict[Queue, dict[int, list[_Waiting[Source]]]] = {}
        self._counts: Counter[Source] = Counter()

    def add(
        self, source: Source, tokens: Sequence[Token], places: Iterable[tuple[Queue, int, Sequence[int]]]
    ) -> list[Token]:
        """Add messages.

        :param tokens: one for each message.
        :param places: a queue, the position of the first message there, and the indexes of its messages.
        :returns: the tokens of messages that are in no queue; they are not kept.
        """
        messages = [_Waiting(source, token) for token in tokens]
        for queue, start, indexes in places:
            at = self._at.setdefault(queue, {})
            for position, index in enumerate(indexes, start):
                messages[index].left += 1
                at.setdefault(position, []).append(messages[index])
        free = [message.token for message in messages if not message.left]
        self._counts[source] += len(messages) - len(free)
        return free

    def settle(self, queue: Queue, ranges: Iterable[Range]) -> dict[Source, list[Token]]:
        """Settle ranges of positions in a queue; positions that are not known are ignored.

        :returns: by source, tokens of messages that no other queue has left.
        """
        at = self._at.get(queue, {})
        ended: dict[Source, list[Token]] = {}
        for start, stop in ranges:
            known = range(start, stop) if stop - start <= len(at) else [one for one in at if start <= one < stop]
            for position in known:
                for message in at.pop(position, ()):
                    message.left -= 1
                    if not message.left:
                        ended.setdefault(message.source, []).append(message.token)
        if not at:
            self._at.pop(queue, None)
        for source, tokens in ended.items():
            self._counts[source] -= len(tokens)
        return ended

    def forget(self, source: Source) -> list[Queue]:
        """Forget the messages of a source. :returns: the queues in which no message is left."""
        del self._counts[source]
        for queue, at in self._at.items():
            left = {position: [one for one in found if one.source != source] for position, found in at.items()}
            self._at[queue] = {position: found for position, found in left.items() if found}
        empty = [queue for queue, at in self._at.items() if not at]
        for queue in empty:
            del self._at[queue]
        return empty

    def waits_for(self, queue: Queue) -> bool:
        """True if some message in that queue is not settled."""
        return queue in self._at

    def queues_of(self, source: Source) -> list[Queue]:
        """Queues in which some message of a source is not settled."""
        return [queue for queue, at in self._at.items() if any(_is_of(source, found) for found in at.values())]

    def count(self, source: Source) -> int:
        """Number of messages of a source that some queue has not settled."""
        return self._counts[source]


def _is_of(source: Source, found: Iterable[_Waiting[Source]]) -> bool:
    return any(one.source == source for one in found)
