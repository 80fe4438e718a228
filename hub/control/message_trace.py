"""Traces the messages of one id: combines what stores and queues know of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator

import msgspec

from hub.deadletter import DeadLetter
from hub.interfaces import Clock
from hub.message import Message
from hub.parts.consumers import Consumers
from hub.parts.queue_entry import QueueEntry
from hub.queue.inspect import MessageState, positions_of
from hub.queue.queue import Queue
from hub.store import Store

STEP = 4096
"""Messages in memory searched in one step."""
MOST_OUTCOMES = 1000
"""Outcomes of one message. It has one in each queue, unless it was sent twice at once."""
MOST_TOLD = 20_000
"""Outcomes of all messages together, an answer of some 5 MB."""
LETTERS_FROM = 0.75
"""Share of the time after which only dead letters are searched: a dead letter is settled in its queue, and must not
look finished because the log is long."""

Key = tuple[float, str, str]


class QueueOutcome(msgspec.Struct):
    """Outcome of a message in one queue.

    ``state`` is ``waiting``, ``delayed``, ``in flight``, ``retry``, ``dead letter``, or ``settled``: finished, dropped,
    or deleted or retried as a dead letter; these are not distinguished. ``before``: number of unsettled messages before
    it. ``attempts``: number of attempts so far. ``seconds``: time in the hands of ``thread``. ``due`` and ``buried_at``
    are epoch seconds. ``reason``: the last error. ``number``: number of the dead letter.
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


class TracedMessage(msgspec.Struct):
    """A message with the id. Ids are not unique, and a replayed or retried message is one of its own (``copy``), as is
    one that was put into a declared queue.

    ``cut``: true if some outcomes are left out.
    """

    topic: str
    backend: str
    received_at: float
    copy: bool
    queues: list[QueueOutcome]
    cut: bool = False


class MessageTrace:
    """The trace of one id. Run the steps of ``search`` in the reactor's thread, then call ``messages``.

    :param routed: returns the queues that match a topic now. :param clock: monotonic seconds. :param wall: epoch
        seconds.
    :ivar reached: epoch seconds; messages stored since then were searched. Infinite: all of them, or none.
    :ivar complete: true if nothing was left out.
    """

    def __init__(
        self,
        id_: str,
        consumers: Consumers,
        store: Store,
        routed: Callable[[str], Iterable[Queue]],
        clock: Clock,
        wall: Clock,
    ) -> None:
        self.reached = float("inf")
        self.complete = True
        self._id = id_
        self._consumers = consumers
        self._store = store
        self._routed = routed
        self._clock, self._wall = clock, wall
        self._found: dict[Key, TracedMessage] = {}
        self._most, self._told = 0, 0
        self._stored: set[Key] = set()
        self._positions: set[tuple[str, int]] = set()

    def search(self, since: float, most: int, spent: Callable[[], float]) -> Iterator[None]:
        """Search in short steps. Ends early at more than ``most`` messages, or when the time is over.

        :param since: epoch seconds; messages stored before are skipped. :param spent: returns the share of the time
            used.
        """
        self._most = most
        memory = yield from self._while(spent, LETTERS_FROM, self._in_memory())
        store = yield from self._while(spent, LETTERS_FROM, self._in_store(since))
        letters = yield from self._while(spent, 1.0, self._letters())
        for key, traced in self._found.items() if memory and letters else ():
            if key in self._stored or (store and traced.received_at >= since):
                self._complete(traced)
                yield

    def _while(self, spent: Callable[[], float], share: float, steps: Iterator[bool]) -> Generator[None, None, bool]:
        """Run steps while there is time, until one reports enough. :returns: true if all were run."""
        for enough in steps:
            yield
            if enough or spent() >= share:
                self.complete = False
                return False
        return True

    def messages(self) -> list[TracedMessage]:
        """The messages found, the newest first."""
        return sorted(self._found.values(), key=lambda one: -one.received_at)

    @property
    def _queues(self) -> dict[str, QueueEntry]:
        return {entry.name: entry for entry in self._consumers.queues.opened()}

    def _in_memory(self) -> Iterator[bool]:
        for name, entry in self._queues.items():
            if not entry.stored.durable:
                for found in positions_of(self._id, entry.opened.inspect.in_memory(), STEP):
                    for position, message in found:
                        self._saw(message, name, position)
                        yield False
                    yield False

    def _in_store(self, since: float) -> Iterator[bool]:
        """Search the log from the newest page on, until there is one message too many."""
        for found, reached in self._store.find(self._id, since):
            for one in found:
                for queue, position in one.places or [("", -1)]:
                    wanted = self._saw(one.message, queue, position, one.copy)
                self._stored.add(_key(one.message))
                yield not wanted
            self.reached = min(self.reached, reached)
            yield False

    def _letters(self) -> Iterator[bool]:
        """Search dead letters. A dead letter is settled in its queue, so it replaces that outcome."""
        for store in self._consumers.stores:
            for letters in store.find_letters(self._id):
                for queue, letter in letters:
                    self._bury(queue, letter)
                    yield False
                yield False

    def _message(self, message: Message, copy: bool) -> TracedMessage | None:
        """Return the traced message, new or known; ``None``: there are enough, all of them newer."""
        key = _key(message)
        if key not in self._found:
            if len(self._found) >= self._most:
                self.complete = False
                oldest = min(self._found)
                if key < oldest:
                    return None
                self._told -= len(self._found.pop(oldest).queues)
            self._found[key] = TracedMessage(message.topic, message.backend, message.received_at, copy, [])
        return self._found[key]

    def _room(self, traced: TracedMessage) -> bool:
        """True if there is room for another outcome of the message."""
        if len(traced.queues) < MOST_OUTCOMES and self._told < MOST_TOLD:
            return True
        traced.cut, self.complete = True, False
        return False

    def _tell(self, traced: TracedMessage, outcome: QueueOutcome) -> None:
        traced.queues.append(outcome)
        self._told += 1

    def _saw(self, message: Message, queue: str, position: int, copy: bool = False) -> bool:
        """Record the outcome of a message in a queue. :returns: false if the message is left out."""
        traced = self._message(message, copy)
        if traced is not None and queue and (queue, position) not in self._positions and self._room(traced):
            self._positions.add((queue, position))
            self._tell(traced, self._outcome(queue, position))
        return traced is not None

    def _outcome(self, name: str, position: int) -> QueueOutcome:
        entry = self._queues.get(name)
        if entry is None:
            settled = self._store.settled(name, position)
            return QueueOutcome(name, "settled" if settled else "waiting", position)
        place = entry.opened.inspect.state_of(position)
        outcome = QueueOutcome(name, place.kind, position, place.before, place.attempts)
        if place.due is not None:
            outcome.due = self._wall() + place.due - self._clock()
        if place.kind == "in flight":
            outcome.thread, outcome.seconds = self._hand(entry, place)
        if place.attempts:
            outcome.reason = entry.opened.inspect.why(position) or None
        return outcome

    def _hand(self, entry: QueueEntry, place: MessageState) -> tuple[str | None, float | None]:
        """The thread that has the message, and the seconds so far; ``None`` for one that is only next in a batch."""
        for crew in (*([entry.crew] if entry.crew is not None else []), *self._consumers.leaving):
            batches = crew.policy.worker.batch_size is not None
            for worker, thread in crew.workers:
                if (delivery := place.delivery) is not None and worker.delivery is delivery:
                    begun = batches or place.at == delivery.at
                    return thread.name, max(0.0, self._clock() - worker.since) if begun else None
        return None, None

    def _bury(self, queue: str, letter: DeadLetter) -> None:
        traced = self._message(letter.message, False)
        if traced is None:
            return
        settled = (one for one in traced.queues if one.queue == queue and one.state == "settled")
        outcome = next(settled, None)
        if outcome is None:
            if not self._room(traced):
                return
            outcome = QueueOutcome(queue, "dead letter")
            self._tell(traced, outcome)
        outcome.state, outcome.attempts, outcome.reason = "dead letter", letter.attempts, letter.reason
        outcome.number, outcome.buried_at = letter.number, letter.buried_at

    def _complete(self, traced: TracedMessage) -> None:
        """Add ``settled`` for queues that match the topic, existed at the time, and hold nothing of the message."""
        seen = {outcome.queue for outcome in traced.queues}
        for queue in () if traced.copy or traced.cut else self._routed(traced.topic):
            gone = queue.name not in seen and queue.stored.created_at() <= traced.received_at
            if gone and self._room(traced):
                self._tell(traced, QueueOutcome(queue.name, "settled"))


def _key(message: Message) -> Key:
    """The key that tells messages of one id apart."""
    return message.received_at, message.topic, message.backend
