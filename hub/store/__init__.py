"""Where messages and dead letters are kept: the interface. The engines are in the modules beside it.

A queue gives each of its messages a *position*, dense and rising. The store is told of a message when it arrives, by
``append``, and of all that becomes of it later by the queue's *journal*, which the store fetches when it commits. That
way a worker that settles a message calls nobody, and one commit carries what many have done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from hub.deadletter import DeadLetter
from hub.message import Message
from hub.stats.counters import Counters, QueueStats

Range = tuple[int, int]
"""Positions from the first up to, not including, the second."""


Kept = tuple[Message, int | None]
"""A message of the past, and its position in a queue; ``None``: it was not given to that one."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one queue gets of a batch.

    :ivar start: the position of the first of them; the others follow.
    :ivar indexes: which of the batch's messages; ``None``: all of them.
    :ivar messages: these, in the order of arrival.
    """

    queue: str
    start: int
    indexes: Sequence[int] | None
    messages: Sequence[Message]

    @property
    def stop(self) -> int:
        """The position after the last one."""
        return self.start + len(self.messages)


@dataclass(frozen=True, slots=True)
class Beginning:
    """How far a new queue is with what was kept before it was there.

    :ivar since: epoch seconds; what was received before is not for it.
    :ivar page: the number of the first page that it was not given. :ivar until: that of the first page which came
        after the queue did; 0: of the page that comes next.
    """

    since: float
    page: int = 0
    until: int = 0


OVERHEAD = 200
"""Bytes on the disk for each message beside its body, at the most, but for large headers."""


@dataclass(frozen=True, slots=True)
class RoutedBatch:
    """One turn of a backend's reader, with its routes frozen: the unit that a store appends.

    :ivar size: bytes that it takes on the disk, about: added up once, for each step on the way there asks for it.
    """

    messages: Sequence[Message]
    shares: Sequence[Share]
    copy: bool = False
    """These were received before: a replay does not give them again."""
    beginning: tuple[str, Beginning | None] | None = None
    """How far that queue is with its beginning, once this batch is committed; ``None``: it is over."""
    size: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        bodies = sum([len(message.body) for message in self.messages])
        object.__setattr__(self, "size", bodies + OVERHEAD * len(self.messages))


@dataclass(frozen=True, slots=True)
class Try:
    """What is known of a message that was tried and is not settled.

    :ivar due: epoch seconds, before which it is not to be tried again.
    :ivar delay: seconds from the decision to ``due``: no restart, whatever the clock says, makes it wait longer.
    :ivar kills: how often the hub was killed while a consumer had it in hand.
    """

    attempts: int = 0
    failures: int = 0
    due: float = 0.0
    delay: float = 0.0
    kills: int = 0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that a consumer sent out while it handled another one."""

    backend: str
    message: Message


class Tie(NamedTuple):
    """Positions ``start`` up to ``stop``, with the next ``letters`` of a journal's dead letters and the next
    ``outgoing`` of its outbox. What of these comes after the last tie belongs to no position."""

    start: int
    stop: int
    letters: int
    outgoing: int


@dataclass(slots=True)
class Journal:
    """What became of a queue's messages since the store asked last; the store applies all of it, or nothing.

    :ivar settled: ranges that need no more work.
    :ivar tries: positions that wait for a retry.
    :ivar ties: which positions are settled only together with something that has to be written for them; they are not
        in ``settled``. On a full disk they wait, and the others do not.
    :ivar admitted: the position after the last one that the queue had given when ``counters`` was read.
    """

    settled: list[Range] = field(default_factory=list)
    ties: list[Tie] = field(default_factory=list)
    tries: dict[int, Try] = field(default_factory=dict)
    letters: list[DeadLetter] = field(default_factory=list)
    outbox: list[Outgoing] = field(default_factory=list)
    counters: Counters = field(default_factory=Counters)
    admitted: int = 0
    unread_bytes: int = 0

    def __bool__(self) -> bool:
        return bool(self.settled or self.ties or self.tries or self.letters or self.outbox)


@dataclass(slots=True)
class QueueState:
    """A queue as the last commit left it.

    :ivar ranges: settled ranges above the floor.
    :ivar oldest: epoch seconds at which the oldest message that is not settled was received.
    """

    floor: int = 0
    ranges: list[Range] = field(default_factory=list)
    next_position: int = 0
    counters: Counters = field(default_factory=Counters)
    tries: dict[int, Try] = field(default_factory=dict)
    unread_bytes: int = 0
    oldest: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Messages of one queue with consecutive positions, as they were read back.

    :ivar damaged: why they can't be read; there are ``count`` of them, and ``messages`` is empty.
    """

    start: int
    messages: Sequence[Message]
    size: int
    count: int
    damaged: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """A message that was looked for by its id.

    :ivar places: queues that it was given to, each with its position there; one that was done with it before it was
        stored may be missing.
    :ivar copy: it had been received before, and was given to one queue again.
    """

    message: Message
    places: Sequence[tuple[str, int]]
    copy: bool = False


class Hand(Protocol):
    """Notes which messages a worker has in hand, so that a hub which was killed by one of them can tell."""

    def hold(self, start: int, stop: int) -> None:
        """Those, until the next call."""

    def drop(self) -> None:
        """None."""


class Store(Protocol):
    """Thread-safe, but for ``append``, which belongs to the reactor's thread."""

    durable: bool
    """Whether it keeps messages: a queue with a durable store need not have all of its backlog in memory."""
    keeps: bool
    """Whether it keeps messages that no queue wants, or wants any more, for a while."""

    @property
    def careful(self) -> bool:
        """Whether messages should be given to workers only after their commit: the hub was killed lately with a message
        in hand that was not committed, so that nobody can say how often that one has done it."""

    def open(self, queue: str) -> QueueState:
        """What there is of that queue; a new one begins empty."""

    def attach(self, queue: str, journal: Callable[[], Journal]) -> None:
        """From now on fetch what becomes of its messages there. The call may come from any thread."""

    def changed(self, queue: str) -> None:
        """There is something in its journal. Costs next to nothing."""

    def append(self, batch: RoutedBatch, stored: Callable[[], None] | None) -> None:
        """Keep a batch; called before its messages are given to any worker.

        :param stored: called once, in any thread, when it is safe with us; only then may its sender be told.
            ``None``: nobody waits for it.
        """

    def hand(self, queue: str) -> Hand:
        """Where one worker notes what it has in hand."""

    def read(self, queue: str, position: int, count: int, size: int) -> Sequence[Run]:
        """The queue's messages from that position on: some ``count`` of them, or of ``size`` bytes, but at least one
        if there is one. Positions that are missing in between are settled."""

    def dead_letters(self, queue: str, after: int = 0, size: int | None = None) -> Sequence[DeadLetter]:
        """A copy of those that are kept, the oldest first.

        :param after: only those with higher numbers.
        :param size: about so many bytes of them, but one at least, if there is one; ``None``: all.
        """

    def letter(self, queue: str, number: int) -> DeadLetter | None:
        """The one of that number, if it is kept; reads no other."""

    def remove_letters(self, queue: str, numbers: Sequence[int], again: bool = False) -> None:
        """They were deleted, or given to the consumer again: from now on nobody is shown them, or can take them.

        :param again: they were given again: they go only when what was appended before is safe.
        """

    def kept_dead_letters(self, queue: str) -> int:
        """How many ``dead_letters`` would give."""

    def lost_dead_letters(self, queue: str) -> int:
        """How many had to be given up for newer ones; only grows."""

    def limit_dead_letters(self, queue: str, count: int, size: int | None = None, age: float | None = None) -> None:
        """Keep no more than that from now on: the oldest go, and are counted as lost. Their ages are looked at now.

        :param size: bytes of all together; the newest one stays, whatever its size. :param age: seconds.
        """

    def queues(self) -> Sequence[str]:
        """All that there are, those that belong to no consumer too."""

    def rename(self, old: str, new: str) -> None:
        """There must be a queue of the old name, and none of the new. One that is open has its new name after a
        ``flush``, before which nothing may be appended to it."""

    def stats(self, queue: str) -> QueueStats:
        """Of a queue that was not opened: as it was committed."""

    def shown(self, queue: str) -> Counters | None:
        """The counters that may be shown: those which no kill of the hub can take back. ``None``: any, for the store
        keeps none. A copy, or never changed."""

    def delete(self, queue: str) -> None:
        """All of it, with the next commit. Nobody may use it any more."""

    def kept(self, since: float, until: float, queue: str) -> Iterator[Sequence[Kept]]:
        """Messages that were received then, in epoch seconds, as far as they are still there; in order. Each step is
        short, and may find none. One whose time is still to come was received while the clock was ahead: it counts as
        received with the one before it."""

    def history(self, queue: str, first: int, stop: int) -> Iterator[tuple[int, Sequence[Kept]]]:
        """Messages of the pages that are still there, from the number ``first`` up to, not including, ``stop``; in
        order, a page in each step. With them comes the number to go on from."""

    def beginning(self, queue: str) -> Beginning | None:
        """How far it is, as committed; ``None``: it has none, or it is over."""

    def bound(self, size: int | None) -> None:
        """From now on have no more than so many bytes in use, as far as history is what takes them: the oldest goes
        first. ``None``: no bound."""

    def find(self, id_: str, since: float) -> Iterator[tuple[Sequence[Found], float]]:
        """Messages of that id which are kept, the newest first. Each step is short, and may find none; with it comes
        the time, in epoch seconds, from which on all was looked at so far. One may come twice.

        :param since: epoch seconds; what was stored before is not looked at.
        """

    def find_letters(self, id_: str) -> Iterator[Sequence[tuple[str, DeadLetter]]]:
        """Dead letters of that id, each with its queue; in short steps."""

    def created_at(self, queue: str) -> float:
        """Epoch seconds at which that queue was made."""

    def settled(self, queue: str, position: int) -> bool:
        """Whether that message needs no more work. Of a queue that was not opened: as it was committed."""

    def pending(self) -> int:
        """Batches that wait for the disk. Costs next to nothing."""

    def when_stored(self, call: Callable[[], object]) -> None:
        """Have it called once, in any thread, when all that was appended and journalled so far is safe. It is
        committed at once, however seldom that is done otherwise; never, if the disk takes nothing any more."""

    def flush(self, timeout: float) -> bool:
        """Wait until all that was appended and journalled so far is safe. Returns whether it is."""

    def condition(self) -> tuple[str, str]:
        """Its state, ``ok``, ``full``, ``behind`` or ``failed``, and the reason."""

    def watch(self, on_state: Callable[[str, str], None], on_outgoing: Callable[[int, list[Outgoing]], None]) -> None:
        """Who is told, in any thread: of a new state, as ``condition`` says, which is asked what is so by then; and of
        messages to be sent out, numbered from the first argument on, once they are safe."""

    def outbox(self) -> Sequence[tuple[int, Outgoing]]:
        """What is safe and is to be sent out, with its numbers; without what was told to have been sent."""

    def sent(self, number: int) -> None:
        """That message has been sent out."""

    def status(self) -> Mapping[str, Any]:
        """JSON-able; counts only grow."""

    def close(self) -> bool:
        """The last call: commits what there is. Returns whether all of it is safe."""
