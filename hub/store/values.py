"""Values of the store's interface."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from hub.deadletter import DeadLetter
from hub.headers import size_of
from hub.message import DEFAULT_PRIORITY, Message
from hub.stats.counters import Counters

Range = tuple[int, int]
"""Range of positions, from the first up to, not including, the second."""
Kept = tuple[Message, int | None]
"""A kept message, and its position in a queue; ``None``: the queue did not get it."""
Wanted = Callable[[Message], bool]
PER_PAGE = 1_000_000
"""Offsets of a page; a batch has some thousand messages at most."""
OVERHEAD = 200
"""Most bytes on the disk for a message without its body and its headers."""


def content_size(message: Message) -> int:
    """Bytes of a message's body and headers, an estimate."""
    return len(message.body) + size_of(message.headers)


@dataclass(frozen=True, slots=True)
class Share:
    """The share of one queue in a batch.

    :ivar start: position of the first message; the others follow.
    :ivar indexes: indexes of the messages in the batch; ``None``: all.
    :ivar messages: the messages, in order of arrival.
    :ivar tries: tries of delayed messages by position, which are stored with them.
    """

    queue: str
    start: int
    indexes: Sequence[int] | None
    messages: Sequence[Message]
    tries: Mapping[int, Try] | None = None

    @property
    def stop(self) -> int:
        """The position after the last one."""
        return self.start + len(self.messages)


def index_in(ascending: Sequence[int], number: int) -> int:
    """The index of a number among ascending ones; -1: it is not among them."""
    at = bisect_left(ascending, number)
    return at if at < len(ascending) and ascending[at] == number else -1


@dataclass(frozen=True, slots=True)
class Beginning:
    """Progress of a new queue's backfill from history.

    :ivar since: epoch seconds; messages received before are left out.
    :ivar page: number of the first page that the queue has not got. :ivar until: number of the first page that is
        newer than the queue; 0: the next page.
    """

    since: float
    page: int = 0
    until: int = 0


@dataclass(frozen=True, slots=True)
class RoutedBatch:
    """A batch with its routes: the unit that a store appends.

    :ivar size: bytes on the disk, an estimate, computed once.
    """

    messages: Sequence[Message]
    shares: Sequence[Share]
    copy: bool = False
    """True if a replay leaves the messages out: they were received before, or put into one queue without routing."""
    beginning: tuple[str, Beginning | None] | None = None
    """A queue, and its progress of the backfill once this batch is committed; ``None``: it is complete."""
    mark: Callable[[int], None] | None = field(default=None, compare=False, repr=False)
    """Called once, in the writer's thread, with the number of the page that follows the batches before this one, when
    they are committed."""
    priority: int = DEFAULT_PRIORITY
    """Priority of the messages in their queues."""
    size: int = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        bodies = sum([len(message.body) for message in self.messages])
        headers = sum([size_of(message.headers) for message in self.messages if message.headers])
        object.__setattr__(self, "size", bodies + headers + OVERHEAD * len(self.messages))


@dataclass(frozen=True, slots=True)
class Try:
    """Attempts at a message that is not settled. A delayed message has none before it is due.

    :ivar due: epoch seconds before which it is not retried.
    :ivar delay: seconds from the verdict to ``due``: after a restart it waits no longer, even if the clock was set.
    :ivar kills: number of kills of the hub while it was in flight.
    """

    attempts: int = 0
    failures: int = 0
    due: float = 0.0
    delay: float = 0.0
    kills: int = 0


@dataclass(slots=True)
class Outgoing:
    """A message that a consumer published while it handled another one.

    :ivar sent: of a message that no store keeps: called in the reactor's thread when the bus has confirmed it, or can
        never take it (true), or the hub ends before that (false). ``None``: nobody waits for it.
    """

    backend: str
    message: Message
    sent: Callable[[bool], object] | None = field(default=None, compare=False, repr=False)


class OutboxPortion(NamedTuple):
    """Outgoing messages of one backend with their numbers; the last number read; whether there are more."""

    rows: Sequence[tuple[int, Message]]
    last: int
    more: bool


class LogPortion(msgspec.Struct, frozen=True):
    """Portion of the log, read in one step. An *offset* is the place of a message in the log: the number of its page
    times :data:`PER_PAGE`, plus its index in the page.

    :ivar messages: the wanted messages, each with its offset. :ivar following: the offset to continue from.
    :ivar complete: true if no committed page follows. :ivar missing: true if pages from the given offset on are not
        kept any more.
    """

    messages: Sequence[tuple[int, Message]]
    following: int
    complete: bool
    missing: bool


class Tie(NamedTuple):
    """Tie of the positions from ``start`` up to ``stop`` to the next ``letters`` dead letters and the next ``outgoing``
    messages of the journal's outbox. Those after the last tie belong to no position."""

    start: int
    stop: int
    letters: int
    outgoing: int


class Journal(msgspec.Struct):
    """Changes of a queue since the store fetched its last journal. The store commits all or nothing.

    :ivar settled: settled ranges.
    :ivar tries: positions that wait for a retry.
    :ivar ties: positions that are settled only together with letters or outgoing messages; they are not in
        ``settled``. On a full disk they wait, and the others do not.
    :ivar admitted: the queue's next position when ``counters`` was read.
    """

    settled: list[Range] = msgspec.field(default_factory=list)
    ties: list[Tie] = msgspec.field(default_factory=list)
    tries: dict[int, Try] = msgspec.field(default_factory=dict)
    letters: list[DeadLetter] = msgspec.field(default_factory=list)
    outbox: list[Outgoing] = msgspec.field(default_factory=list)
    counters: Counters = msgspec.field(default_factory=Counters)
    admitted: int = 0
    unread_bytes: int = 0

    def __bool__(self) -> bool:
        return bool(self.settled or self.ties or self.tries or self.letters or self.outbox)


class CommittedState(msgspec.Struct):
    """State of a queue at the last commit.

    :ivar ranges: settled ranges above the floor.
    :ivar oldest: epoch seconds of receipt of the oldest message that is not settled.
    :ivar levels: ranges of positions whose messages have another priority than the default: start, stop, priority;
        ascending. Some of them may be settled.
    """

    floor: int = 0
    ranges: list[Range] = msgspec.field(default_factory=list)
    next_position: int = 0
    counters: Counters = msgspec.field(default_factory=Counters)
    tries: dict[int, Try] = msgspec.field(default_factory=dict)
    unread_bytes: int = 0
    oldest: float | None = None
    levels: Sequence[tuple[int, int, int]] = ()


class Run(msgspec.Struct, frozen=True):
    """Messages of one queue with consecutive positions, read from the store.

    :ivar damaged: the reason why ``count`` messages can't be read; ``messages`` is empty then.
    """

    start: int
    messages: Sequence[Message]
    size: int
    count: int
    damaged: str = ""


class Found(msgspec.Struct, frozen=True):
    """A message found by its id.

    :ivar places: its queues, each with its position there; a queue that settled it before it was stored may be
        missing.
    :ivar copy: whether it was not routed: replayed or retried, or put into one queue.
    """

    message: Message
    places: Sequence[tuple[str, int]]
    copy: bool = False
