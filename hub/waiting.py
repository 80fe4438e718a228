"""All messages of a queue that no worker has: ready, sorted into lanes, or aside until a retry. Pure: no lock."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from hub.message import Message
from hub.ready import Ready
from hub.schedule import Delays, Entry, Lanes

SORT_AHEAD = 64
"""Messages that are sorted into lanes at a time: enough to find work for other threads, few enough for a lock."""

LaneOf = Callable[[Message], Hashable]


@dataclass(slots=True, eq=False)
class Taken:
    """What a worker has in hand: messages of ascending positions, of which the first ``done`` are settled.

    ``at`` is the one that is being consumed now. Those between ``done`` and ``at`` are finished, but not reported yet;
    readers of the queue's numbers count them as finished.
    """

    messages: Sequence[Message]
    positions: Sequence[int]
    attempts: int = 0
    """How often they were given to the consumer before."""
    failures: int = 0
    """How many of these attempts count towards ``max_attempts``."""
    lane: tuple[Hashable] | None = None
    done: int = 0
    at: int = 0

    @property
    def unreported(self) -> int:
        """How many are finished and not reported."""
        return max(0, self.at - self.done)

    @property
    def left(self) -> int:
        """How many are not settled."""
        return len(self.messages) - self.done

    def rest(self, count: int) -> list[Entry]:
        """The next ``count`` of those that are not settled."""
        return [
            Entry(self.positions[at], self.messages[at], self.attempts, self.failures)
            for at in range(self.done, self.done + count)
        ]


class Waiting:
    """Hands out what is due: retries first, then lanes (where there are any), then the ready window."""

    def __init__(self) -> None:
        self.ready = Ready()
        self._lanes = Lanes()
        self._delays: Delays[Entry] = Delays()
        self._aside: dict[int, Message] = {}
        self._aside_size = 0
        self._sorting = False

    @property
    def size(self) -> int:
        """Bytes of bodies; those in lanes and those that wait for a retry count too."""
        return self.ready.size + self._aside_size

    @property
    def delayed(self) -> int:
        """Messages that wait for a retry outside of lanes, and lanes that wait for one."""
        return len(self._delays) + self._lanes.held

    @property
    def next_due(self) -> float | None:
        """When the next of what is delayed is due."""
        times = [time for time in (self._delays.next_due, self._lanes.next_due) if time is not None]
        return min(times, default=None)

    def take(self, limit: int, now: float, in_lanes: bool) -> Taken | None:
        """What is due now, or ``None``.

        :param in_lanes: whether the ready window may be handed out only by way of ``unsorted`` and ``sort``.
        """
        if run := self._due(limit, now):
            return self._taken(run, None)
        if (found := self._lanes.take(limit, now)) is not None:
            key, run = found
            return self._taken(run, (key,))
        if in_lanes or len(self._lanes) or not self.ready:
            return None
        positions, messages = self.ready.take(limit)
        return Taken(messages, positions)

    def _due(self, limit: int, now: float) -> list[Entry]:
        """Retries that are due and alike: what failed as a batch comes again as a batch."""
        run: list[Entry] = []
        while len(run) < limit and (entry := self._delays.first(now)) is not None:
            if run and not _may_follow(run[-1], entry):
                break
            run.append(entry)
            self._delays.pop(now)
        return run

    def _taken(self, run: list[Entry], lane: tuple[Hashable] | None) -> Taken:
        for entry in run:
            self._no_longer_aside(entry)
        return Taken([e.message for e in run], [e.position for e in run], run[0].attempts, run[0].failures, lane)

    def unsorted(self) -> list[Entry]:
        """Messages to be sorted into lanes. One thread sorts at a time, or their order would be lost: what this
        returns must be brought to ``sort``; until then it returns nothing more."""
        if self._sorting or not self.ready:
            return []
        self._sorting = True
        positions, messages = self.ready.take(SORT_AHEAD)
        entries = [Entry(position, message) for position, message in zip(positions, messages, strict=True)]
        self._set_aside(entries)
        return entries

    def sort(self, entries: Sequence[Entry], keys: Sequence[Hashable]) -> None:
        """Into the lanes of these keys."""
        for entry, key in zip(entries, keys, strict=True):
            self._lanes.add(key, entry)
        self._sorting = False

    def release(self, taken: Taken) -> None:
        """All of it is settled: its lane goes on."""
        if taken.lane is not None:
            self._lanes.release(taken.lane[0])

    def put_back(self, taken: Taken, entries: Sequence[Entry], due: float) -> None:
        """The rest of what was taken, to be handed out again, before all others, when it is due."""
        self._set_aside(entries)
        if taken.lane is not None:
            self._lanes.put_back(taken.lane[0], entries, due)
            return
        for entry in entries:
            self._delays.add(due, entry)

    def _set_aside(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._aside[entry.position] = entry.message
            self._aside_size += len(entry.message.body)

    def _no_longer_aside(self, entry: Entry) -> None:
        del self._aside[entry.position]
        self._aside_size -= len(entry.message.body)

    def at(self, position: int) -> Message | None:
        """The message at that position, if it is aside, in a lane, or the next of the ready window."""
        if (message := self._aside.get(position)) is not None:
            return message
        head = self.ready.head
        return head[1] if head is not None and head[0] == position else None


def _may_follow(before: Entry, after: Entry) -> bool:
    """Whether one ``Taken`` can hold both, in this order."""
    alike = (before.attempts, before.failures) == (after.attempts, after.failures)
    return alike and before.position < after.position
