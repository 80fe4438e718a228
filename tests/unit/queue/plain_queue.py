"""What a queue in memory ought to be, as plainly as can be said: for test_queue_model.py."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from hub.queue.backlog import SORT_AHEAD

Fate = Literal["open", "finished", "dead", "dropped"]


@dataclass
class Held:
    """A message that waits for its time, outside of lanes."""

    due: float
    position: int


@dataclass
class Model:
    """What each position is, and where it waits."""

    lanes_wanted: bool
    fates: list[Fate] = field(default_factory=list)
    tries: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Attempts and failures."""
    ready: deque[int] = field(default_factory=deque)
    aside: list[Held] = field(default_factory=list)
    lanes: dict[str, deque[int]] = field(default_factory=dict)
    lane_due: dict[str, float] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    now: float = 0.0
    refused: int = 0
    """Buried without a position."""
    turned_away: int = 0
    """Dropped without a position."""
    paused: bool = False
    draining: bool = False

    def count(self, fate: Fate) -> int:
        return self.fates.count(fate)

    def settle(self, position: int, fate: Fate) -> None:
        assert self.fates[position] == "open", "settled twice"
        self.fates[position] = fate

    def free_lanes(self) -> set[str]:
        waiting = {key for key, due in self.lane_due.items() if due > self.now}
        return {key for key, lane in self.lanes.items() if lane} - waiting - self.busy

    def due(self, limit: int) -> list[int]:
        """Of what is due, a run in ascending order that was tried equally often."""
        found: list[int] = []
        while self.aside and self.aside[0].due <= self.now and len(found) < limit:
            position = self.aside[0].position
            alike = found and self.tries.get(position, (0, 0)) == self.tries.get(found[-1], (0, 0))
            if found and not (alike and position > found[-1]):
                break
            found.append(position)
            self.aside.pop(0)
        return found

    def sort(self, key_of: list[str]) -> None:
        for position in self.contiguous(SORT_AHEAD):
            self.ready.popleft()
            self.lanes.setdefault(key_of[position], deque()).append(position)

    def contiguous(self, limit: int) -> list[int]:
        found: list[int] = []
        for position in self.ready:
            if len(found) == limit or (found and position != found[-1] + 1):
                break
            found.append(position)
        return found
