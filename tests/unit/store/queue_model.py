"""What a durable queue ought to be, as plainly as can be said: for test_model.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from hub.message import Message
from hub.queue.policy import QueuePolicy
from hub.store import Try

Fate = Literal["open", "finished", "dead", "dropped"]
DROPPED = ("dropped_newest", "dropped_oldest", "dropped_expired", "dropped_purged", "dropped_drained")
SETTLED = ("finished", "dead", *DROPPED)


@dataclass
class Letter:
    """A dead letter that is committed."""

    number: int
    message: Message
    reason: str
    attempts: int


@dataclass
class Saved:
    """What a crash leaves."""

    messages: list[Message] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    tries: dict[int, Try] = field(default_factory=dict)


@dataclass
class QueueModel:
    """By position: its message, its fate. ``offered``: how many of them may be handed out."""

    policy: QueuePolicy
    messages: list[Message] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    arrived: list[float] = field(default_factory=list)
    """By the monotonic clock."""
    noted: set[int] = field(default_factory=set)
    """Positions of which the queue knows when they arrived."""
    turn_of_fresh: bool = False
    """What was taken last was a retry."""
    offered: int = 0
    tries: dict[int, Try] = field(default_factory=dict)
    aside: list[tuple[float, int, int]] = field(default_factory=list)
    """When it is due, in which turn it went aside, its position."""
    in_hand: set[int] = field(default_factory=set)
    letters: list[Letter] = field(default_factory=list)
    new_letters: list[Letter] = field(default_factory=list)
    removed: set[int] = field(default_factory=set)
    limit: int = 1000
    lost: int = 0
    next_letter: int = 1
    saved: Saved = field(default_factory=Saved)
    turn: int = 0
    squeezed: bool = False
    paused: bool = False
    draining: bool = False

    def open_count(self) -> int:
        return self.fates.count("open")

    def backlog(self) -> int:
        return self.counts["received"] - sum(self.counts[name] for name in SETTLED)

    def fresh(self) -> list[int]:
        """Positions that may be handed out, and were not yet."""
        away = self.in_hand | {position for _, _, position in self.aside}
        return [at for at in range(self.offered) if self.fates[at] == "open" and at not in away]

    def on_trial(self) -> bool:
        """True if one is in hand that may have killed the hub."""
        return any(self.tries[at].kills for at in self.in_hand if at in self.tries)

    def due(self, now: float) -> list[tuple[float, int, int]]:
        return sorted(one for one in self.aside if one[0] <= now)

    def admit(self, batch: Sequence[Message], now: float) -> None:
        """``drop_newest`` refuses here."""
        kept, limit = len(batch), self.policy.max_backlog
        if self.policy.overflow == "drop_newest" and (self.squeezed or limit is not None):
            kept = 0 if self.squeezed else max(0, min(kept, (limit or 0) - self.backlog()))
        kept = 0 if self.draining else kept
        self.counts["received"] += len(batch)
        self.counts["dropped_drained" if self.draining else "dropped_newest"] += len(batch) - kept
        self.messages += batch[:kept]
        self.fates += ["open"] * kept
        self.arrived += [now] * kept

    def offer(self) -> None:
        """``drop_oldest`` drops here: the oldest that nobody has begun."""
        arrived = len(self.fates) - self.offered
        self.noted |= set(range(self.offered, len(self.fates))) if self.policy.max_age is not None else set()
        self.offered = len(self.fates)
        limit = self.policy.max_backlog
        if self.policy.overflow == "drop_oldest" and not self.draining:
            surplus = 0 if limit is None else max(0, self.backlog() - limit)
            self.drop(self.fresh()[: max(surplus, arrived * self.squeezed)], "dropped_oldest")

    def drop(self, positions: Iterable[int], cause: str) -> None:
        for position in positions:
            self.settle(position, "dropped", cause)

    def settle(self, position: int, fate: Fate, cause: str) -> None:
        assert self.fates[position] == "open", f"{position} is settled twice"
        self.fates[position] = fate
        self.counts[cause] += 1
        self.in_hand.discard(position)
        self.tries.pop(position, None)

    def put_aside(self, position: int, due: float) -> None:
        self.in_hand.discard(position)
        self.turn += 1
        self.aside.append((due, self.turn, position))

    def bury(self, position: int, reason: str, attempts: int) -> None:
        self.new_letters.append(Letter(0, self.messages[position], reason, attempts))
        self.settle(position, "dead", "dead")

    def commit(self, upto: int, final: bool = True) -> None:
        """:param upto: positions that are stored after it. :param final: all that arrived is."""
        for letter in self.new_letters:
            self.letters.append(replace(letter, number=self.next_letter))
            self.next_letter += 1
        self.new_letters = []
        if final:
            self.letters = [letter for letter in self.letters if letter.number not in self.removed]
            self.removed = set()
            surplus = max(0, len(self.letters) - self.limit)
            self.lost += surplus
            self.letters = self.letters[surplus:]
        tries = {at: one for at, one in self.tries.items() if at < upto}
        self.saved = Saved(self.messages[:upto], self.fates[:upto], self.counts.copy(), tries)

    def begin_again(self, hands: Sequence[tuple[int, int]], now: float, wall: float) -> None:
        """As it was saved, and what was in hand is suspected."""
        saved = self.saved
        for start, stop in hands:
            for at in range(start, min(stop, len(saved.fates))):
                if saved.fates[at] == "open":
                    one = saved.tries.get(at, Try())
                    saved.tries[at] = replace(one, attempts=one.attempts + 1, kills=one.kills + 1)
        self.messages, self.fates = list(saved.messages), list(saved.fates)
        self.counts, self.tries = saved.counts.copy(), dict(saved.tries)
        self.counts["received"] = self.open_count() + sum(self.counts[name] for name in SETTLED)
        self.offered = len(self.fates)
        self.arrived, self.noted, self.turn_of_fresh = self.arrived[: self.offered], set(), False
        self.in_hand, self.removed, self.new_letters, self.turn = set(), set(), [], 0
        self.squeezed = False
        self.aside = []
        for at, one in sorted(self.tries.items()):
            if one.kills >= self.policy.max_kills:
                reason = f"killed the hub: {one.kills} times it was in flight when the hub died"
                self.bury(at, reason, one.attempts)
            else:
                self.aside.append((now + max(0.0, min(one.due - wall, one.delay)), 0, at))
