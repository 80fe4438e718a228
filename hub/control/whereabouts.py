"""What became of the messages of one id: where the stores and the queues have them, put together."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator

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
MOST_FATES = 1000
"""Of one message; it has one in each queue, but for what was sent twice at once."""
MOST_TOLD = 20_000
"""Fates of all messages together: an answer of some 5 MB."""
LETTERS_FROM = 0.75
"""Share of the time after which the rest is for dead letters: what is buried is settled in its queue, and is not to be
taken for finished because the log is long."""

Key = tuple[float, str, str]


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
    """A message of that id. Ids are not unique, and a replayed or retried message is one of its own (``copy``).

    ``cut``: it has more fates than are told.
    """

    topic: str
    backend: str
    received_at: float
    copy: bool
    queues: list[Fate]
    cut: bool = False


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
        self._found: dict[Key, Sighting] = {}
        self._most, self._told = 0, 0
        self._stored: set[Key] = set()
        self._places: set[tuple[str, int]] = set()

    def search(self, since: float, most: int, spent: Callable[[], float]) -> Iterator[None]:
        """Each step is short. Ends early when there are more than ``most`` of them, or the time is over.

        :param since: epoch seconds; what was stored before is not looked at. :param spent: which share of the time is.
        """
        self._most = most
        memory = yield from self._while(spent, LETTERS_FROM, self._in_memory())
        store = yield from self._while(spent, LETTERS_FROM, self._in_store(since))
        letters = yield from self._while(spent, 1.0, self._letters())
        for key, sighting in self._found.items() if memory and letters else ():
            if key in self._stored or (store and sighting.received_at >= since):
                self._complete(sighting)
                yield

    def _while(self, spent: Callable[[], float], share: float, steps: Iterator[bool]) -> Generator[None, None, bool]:
        """Take them while there is time, and until one says that it was enough. Returns whether it took all."""
        for enough in steps:
            yield
            if enough or spent() >= share:
                self.complete = False
                return False
        return True

    def sightings(self) -> list[Sighting]:
        """What was found, the newest first."""
        return sorted(self._found.values(), key=lambda one: -one.received_at)

    @property
    def _members(self) -> dict[str, Member]:
        return {**self._roster.orphans, **self._roster.members}

    def _in_memory(self) -> Iterator[bool]:
        for name, member in self._members.items():
            if not member.queue.store.durable:
                for found in positions_of(self._id, member.queue.in_memory(), STEP):
                    for position, message in found:
                        self._saw(message, name, position)
                        yield False
                    yield False

    def _in_store(self, since: float) -> Iterator[bool]:
        """The newest first: it is enough when there is one too many."""
        for found, reached in self._store.find(self._id, since):
            for one in found:
                for queue, position in one.places or [("", -1)]:
                    wanted = self._saw(one.message, queue, position, one.copy)
                self._stored.add(_key(one.message))
                yield not wanted
            self.reached = min(self.reached, reached)
            yield False

    def _letters(self) -> Iterator[bool]:
        """Dead letters; what was buried is settled in its queue, so it takes that one's place."""
        for store in {id(one): one for one in (self._store, *(m.queue.store for m in self._members.values()))}.values():
            for letters in store.find_letters(self._id):
                for queue, letter in letters:
                    self._bury(queue, letter)
                    yield False
                yield False

    def _sighting(self, message: Message, copy: bool) -> Sighting | None:
        """``None``: there are as many as are wanted, and all of them are newer."""
        key = _key(message)
        if key not in self._found:
            if len(self._found) >= self._most:
                self.complete = False
                oldest = min(self._found)
                if key < oldest:
                    return None
                self._told -= len(self._found.pop(oldest).queues)
            self._found[key] = Sighting(message.topic, message.backend, message.received_at, copy, [])
        return self._found[key]

    def _room(self, sighting: Sighting) -> bool:
        """For one more fate of it."""
        if len(sighting.queues) < MOST_FATES and self._told < MOST_TOLD:
            return True
        sighting.cut, self.complete = True, False
        return False

    def _tell(self, sighting: Sighting, fate: Fate) -> None:
        sighting.queues.append(fate)
        self._told += 1

    def _saw(self, message: Message, queue: str, position: int, copy: bool = False) -> bool:
        """Returns whether the message is told of."""
        sighting = self._sighting(message, copy)
        if sighting is not None and queue and (queue, position) not in self._places and self._room(sighting):
            self._places.add((queue, position))
            self._tell(sighting, self._fate(queue, position))
        return sighting is not None

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
        if sighting is None:
            return
        settled = (one for one in sighting.queues if one.queue == queue and one.state == "settled")
        fate = next(settled, None)
        if fate is None:
            if not self._room(sighting):
                return
            fate = Fate(queue, "dead letter")
            self._tell(sighting, fate)
        fate.state, fate.attempts, fate.reason = "dead letter", letter.attempts, letter.reason
        fate.number, fate.buried_at = letter.number, letter.buried_at

    def _complete(self, sighting: Sighting) -> None:
        """A queue that wants the topic, was there at the time, and of which nothing is left, is done with it."""
        seen = {fate.queue for fate in sighting.queues}
        for queue in () if sighting.copy or sighting.cut else self._routed(sighting.topic):
            gone = queue.name not in seen and queue.store.created_at(queue.name) <= sighting.received_at
            if gone and self._room(sighting):
                self._tell(sighting, Fate(queue.name, "settled"))


def _key(message: Message) -> Key:
    """By which those of one id are told apart."""
    return message.received_at, message.topic, message.backend
