"""What became of the messages of one id: where the stores and the queues have them, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from hub.deadletter import DeadLetter
from hub.interfaces import Clock
from hub.message import Message
from hub.parts.roster import Member, Roster
from hub.queue.place import Place, positions_of
from hub.queue.queue import Queue
from hub.store import Store

STEP = 4096
"""Messages in memory that are looked at in one step."""


class Fate(msgspec.Struct):
    """What one queue did with a message.

    ``state`` is ``waiting``, ``in flight``, ``retry``, ``dead letter``, or ``settled``: finished, dropped, or deleted
    or retried as a dead letter; that is not kept apart. ``before``: how many messages before it are not settled.
    ``attempts``: how often it has been tried. ``seconds``: how long it has been in hand, of ``thread``. ``due`` and
    ``buried_at`` are epoch seconds. ``reason``: the last error. ``number``: of the dead letter.
    """

    queue: str
    state: str
    position: int | None = None
    before: int | None = None
    attempts: int = 0
    thread: str | None = None
    seconds: float | None = None
    due: float | None = None
    reason: str | None = None
    number: int | None = None
    buried_at: float | None = None


class Sighting(msgspec.Struct):
    """A message of that id. Ids are not unique, and a replayed or retried message is one of its own (``copy``)."""

    topic: str
    backend: str
    received_at: float
    copy: bool
    queues: list[Fate]


class Whereabouts:
    """See the module. In the reactor's thread: ``search`` in steps, then ``sightings``.

    :param routed: the queues that now want a topic. :param clock: monotonic seconds. :param wall: epoch seconds.
    :ivar reached: epoch seconds; what the store has received since then was looked at. Infinite: all of it, or none.
    :ivar complete: whether nothing was left out.
    """

    def __init__(
        self,
        id_: str,
        roster: Roster,
        store: Store,
        routed: Callable[[str], Iterable[Queue]],
        clock: Clock,
        wall: Clock,
    ) -> None:
        self.reached = float("inf")
        self.complete = True
        self._id = id_
        self._roster = roster
        self._store = store
        self._routed = routed
        self._clock, self._wall = clock, wall
        self._found: dict[tuple[float, str, str], Sighting] = {}
        self._places: set[tuple[str, int]] = set()

    def search(self, since: float, most: int, enough: Callable[[], bool]) -> Iterator[None]:
        """Each step is short. Ends early when there are ``most`` of them, or it was ``enough``.

        :param since: epoch seconds; what was stored before is not looked at.
        """
        for _ in self._in_memory():
            yield
        for found, reached in self._store.find(self._id, since):
            for one in found:
                for queue, position in one.places or [("", -1)]:
                    self._saw(one.message, queue, position, one.copy)
            self.reached = min(self.reached, reached)
            yield
            if len(self._found) >= most or enough():
                self.complete = reached < since or reached == float("-inf")
                break
        for _ in self._letters():
            yield
        for sighting in self._found.values():
            self._complete(sighting)

    def sightings(self) -> list[Sighting]:
        """What was found, the newest first."""
        return sorted(self._found.values(), key=lambda one: -one.received_at)

    @property
    def _members(self) -> dict[str, Member]:
        return {**self._roster.orphans, **self._roster.members}

    def _in_memory(self) -> Iterator[None]:
        for name, member in self._members.items():
            if not member.queue.store.durable:
                for found in positions_of(self._id, member.queue.in_memory(), STEP):
                    for position, message in found:
                        self._saw(message, name, position)
                    yield

    def _letters(self) -> Iterator[None]:
        """Dead letters; what was buried is settled in its queue, so it takes that one's place."""
        for store in {id(one): one for one in (self._store, *(m.queue.store for m in self._members.values()))}.values():
            for letters in store.find_letters(self._id):
                for queue, letter in letters:
                    self._bury(queue, letter)
                yield

    def _sighting(self, message: Message, copy: bool) -> Sighting:
        key = (message.received_at, message.topic, message.backend)
        if key not in self._found:
            self._found[key] = Sighting(message.topic, message.backend, message.received_at, copy, [])
        return self._found[key]

    def _saw(self, message: Message, queue: str, position: int, copy: bool = False) -> None:
        sighting = self._sighting(message, copy)
        if queue and (queue, position) not in self._places:
            self._places.add((queue, position))
            sighting.queues.append(self._fate(queue, position))

    def _fate(self, name: str, position: int) -> Fate:
        member = self._members.get(name)
        if member is None:
            settled = self._store.settled(name, position)
            return Fate(name, "settled" if settled else "waiting", position)
        place = member.queue.place(position)
        fate = Fate(name, place.kind, position, place.before, place.attempts)
        if place.kind == "retry":
            fate.due = self._wall() + (place.due or 0.0) - self._clock()
        if place.kind == "in flight":
            fate.thread, fate.seconds = self._hand(member, place)
        if place.attempts:
            fate.reason = member.queue.why(position) or None
        return fate

    def _hand(self, member: Member, place: Place) -> tuple[str | None, float | None]:
        """Whose it is; and for how long, unless it is only next."""
        for crew in (member.crew, *self._roster.leaving):
            batches = crew.policy.worker.batch_size is not None
            for worker, thread in crew.workers:
                if (taken := place.taken) is not None and worker.taken is taken:
                    begun = batches or place.at == taken.at
                    return thread.name, max(0.0, self._clock() - worker.since) if begun else None
        return None, None

    def _bury(self, queue: str, letter: DeadLetter) -> None:
        sighting = self._sighting(letter.message, False)
        settled = (one for one in sighting.queues if one.queue == queue and one.state == "settled")
        fate = next(settled, None)
        if fate is None:
            fate = Fate(queue, "dead letter")
            sighting.queues.append(fate)
        fate.state, fate.attempts, fate.reason = "dead letter", letter.attempts, letter.reason
        fate.number, fate.buried_at = letter.number, letter.buried_at

    def _complete(self, sighting: Sighting) -> None:
        """A queue that wants the topic, was there at the time, and of which nothing is left, is done with it."""
        seen = {fate.queue for fate in sighting.queues}
        for queue in () if sighting.copy else self._routed(sighting.topic):
            if queue.name not in seen and queue.store.created_at(queue.name) <= sighting.received_at:
                sighting.queues.append(Fate(queue.name, "settled"))
