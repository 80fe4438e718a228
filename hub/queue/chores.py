"""What a worker does for its queue, without the lock, on the way to a message: it reads, sorts, drops the too old."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from functools import partial
from itertools import takewhile

from hub.message import Message
from hub.queue.ages import AgeLimit
from hub.queue.killers import read_one
from hub.queue.lanes import Item
from hub.queue.locked import Locked
from hub.queue.ordering import lane
from hub.queue.overflow import QueuePolicy
from hub.queue.readback import READ_BACK_BYTES, read_back
from hub.queue.refill import bring_back, drop_expired, drop_expired_unread, first_kept, take_in
from hub.queue.schedule import Entry
from hub.queue.taken import Taken
from hub.queue.waiting import SORT_AHEAD

READ_AT_ONCE = 2048
"""Messages: what a worker reads from the store at a time, while it does nothing else."""
LOOK_AGAIN = 0.05
"""Seconds until a queue asks again whether it may hand out a message that is suspected of having killed the hub."""
BEFORE_ALL = float("-inf")
EXPIRE_ROUNDS = 32
"""How often the lock is taken at a time, to drop what is too old."""

Chore = Callable[[], Taken | None]
"""Returns what it leaves of what was taken, to be handed out."""


class Chores(Locked):
    """The part of a :class:`~hub.queue.queue.Queue` that makes messages ready to be handed out."""

    def _before(self, taken: Taken, policy: QueuePolicy) -> Chore | None:
        """What is to be done with it before it is handed out; it returns what is left of it."""
        if taken.messages[0] is None:
            return partial(self._reread, taken)
        if taken.kills:
            return partial(self._try_alone, taken)
        return None if policy.max_age is None else self._expiring(taken, policy.max_age)

    def _looking(self) -> Chore | None:
        """For something that can be handed out, where there is nothing now: among what is behind others, in lanes."""
        if (unread := self._waiting.unread_in_lane()) is not None:
            return partial(self._read_lane, *unread)
        entries = self._waiting.unsorted() if self.policy.lane_of else []
        return partial(self._sort, entries) if entries else None

    def _read_lane(self, key: Hashable, items: list[Item]) -> None:
        positions = [item if isinstance(item, int) else item.position for item in items]
        messages: dict[int, Message] = {}
        looked = 0
        try:
            messages, looked = read_back(self.store, self.name, positions, READ_BACK_BYTES)
        finally:
            with self._lock:
                missing = self._waiting.read_in_lane(key, items[:looked], messages)
                for position in missing:
                    self._books.settle(position, position + 1)
                self._books.counters.dropped_damaged += len(missing)
                self._changed.notify_all()
                room = self._overflow.made_room()
            self._tell(room)

    def _sort(self, entries: list[Entry]) -> None:
        """Find their lanes without the lock: it may mean to decode their bodies."""
        lane_of = self.policy.lane_of
        keys = [lane(lane_of, entry.message) for entry in entries]
        with self._lock:
            self._waiting.sort(entries, keys)
            self._changed.notify_all()

    def _filling_up(self) -> Chore | None:
        """One thread at a time fills the ready window, while the others go on with what is in it."""
        waiting = self._waiting
        if self._filling:
            return None
        if waiting.resumed.spared:
            self._filling = True
            return partial(self._recover, waiting.resumed.spared[:SORT_AHEAD])
        if not (wanted := waiting.wants()):
            return None
        self._filling = True
        return partial(self._fill, waiting.loaded, waiting.next_position, min(wanted, READ_AT_ONCE), waiting.room())

    def _fill(self, start: int, stop: int, count: int, size: int) -> None:
        try:
            runs = self.store.read(self.name, start, count, size)
            with self._lock:
                take_in(self._waiting, self._books, start, stop, runs)
        finally:
            self._filled()

    def _recover(self, entries: list[Entry]) -> None:
        """What waited for a retry when the others around it were dropped."""
        try:
            for entry in entries:
                message = read_one(self.store, self.name, entry.position)
                with self._lock:
                    bring_back(self._waiting, self._books, entry, message)
        finally:
            self._filled()

    def _filled(self) -> None:
        with self._lock:
            self._filling = False
            self._changed.notify_all()
            room = self._overflow.made_room()
        self._tell(room)

    def _reread(self, taken: Taken) -> Taken | None:
        """The messages that ``taken`` stands for, from the store: as many as are read at once; the rest is put back."""
        positions = list(taken.positions)
        try:
            found, looked = read_back(self.store, self.name, positions, READ_BACK_BYTES)
        except BaseException:
            self.give_back(taken)
            raise
        self.give_back_from(taken, looked)
        missing = [position for position in positions[:looked] if position not in found]
        with self._lock:
            taken.positions = missing + list(found)
            self._books.counters.dropped_damaged += len(missing)
            room = self._settle(taken, len(missing)) if missing else False
            taken.messages, taken.positions, taken.done = list(found.values()), list(found), 0
        self._tell(room, bool(missing))
        if not found:
            return None
        return self._try_alone(taken) if taken.kills else taken

    def _try_alone(self, taken: Taken) -> Taken | None:
        """It may have killed the hub. While another such message is in hand, anywhere, all of this queue waits: what
        comes after may be of the same kind."""
        if self._trial.begin(taken):
            return taken
        with self._lock:
            self._put_back(taken, taken.rest(taken.left), BEFORE_ALL)
            self._halted_until = self._clock() + LOOK_AGAIN
        return None

    # -- what is too old

    def _expiring(self, taken: Taken, max_age: float) -> Chore | None:
        """What was begun never is too old."""
        if taken.attempts:
            return None
        limit = self._ages.limit(max_age)
        old = limit.exceeded(taken.positions[0], taken.messages[0].received_at)
        return partial(self._without_old, taken, limit) if old else None

    def _without_old(self, taken: Taken, limit: AgeLimit) -> Taken | None:
        """What is left of it, once that is dropped."""
        ages = zip(taken.positions, taken.messages, strict=True)
        count = sum(1 for _ in takewhile(lambda one: limit.exceeded(one[0], one[1].received_at), ages))
        with self._lock:
            self._books.counters.dropped_expired += count
            room = self._settle(taken, count)
            if taken.left:
                taken.messages, taken.positions, taken.done = taken.messages[count:], taken.positions[count:], 0
        self._tell(room)
        return taken if taken.left else None

    def expire(self) -> None:
        """Drop what is ready or unread and has waited longer than ``max_age``, in bounded time. What is in a lane is
        dropped when it is its turn."""
        max_age = self.policy.max_age
        if max_age is None:
            return
        with self._lock:
            limit = self._ages.limit(max_age)
        for _ in range(EXPIRE_ROUNDS):
            with self._lock:
                dropped = drop_expired(self._waiting, self._books, limit)
            if not dropped:
                break
        self._expire_unread(limit)
        with self._lock:
            room = self._overflow.made_room()
        self._tell(room)

    def _expire_unread(self, limit: AgeLimit) -> None:
        waiting, oldest = self._waiting, limit.oldest
        with self._lock:
            known = waiting.oldest_unread
            start, stop = waiting.loaded, min(waiting.next_position, limit.upto)
            if waiting.ready or start >= stop or (known is not None and known >= oldest):
                return
        first = first_kept(self._received_at, start, stop, oldest)
        since = min(self._received_at(first), self._wall())
        with self._lock:
            drop_expired_unread(waiting, self._books, first, since)

    def _received_at(self, position: int) -> float:
        """The message there, or the next one that can be read; never, if there is none."""
        runs = self.store.read(self.name, position, READ_AT_ONCE, 1)
        return next((run.messages[0].received_at for run in runs if run.messages), math.inf)
