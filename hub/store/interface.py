"""Protocols of the store: one for each part, and :class:`Store`, which has all of them.

A queue is named by its :class:`~hub.store.queue_key.QueueKey` or by its text; results have the text. All methods are
thread-safe, except ``Log.append``, which only the reactor's thread calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from hub.deadletter import DeadLetter
from hub.stats.counters import Counters, QueueStats
from hub.store.queue_key import QueueId
from hub.store.values import (
    Beginning,
    CommittedState,
    Found,
    Journal,
    Kept,
    LogPortion,
    OutboxPortion,
    Outgoing,
    RoutedBatch,
    Run,
    Wanted,
)


class QueueStore(Protocol):
    """The queues, and the state of each."""

    def open(self, queue: QueueId) -> CommittedState:
        """Open a queue, or create an empty one. Returns its state.

        :raises ConfigError: a queue of that name is being deleted. :raises ValueError: the name is invalid.
        """

    def declare(self, queue: QueueId, declaration: bytes) -> None:
        """Keep the declaration of a queue, and create the queue if there is none. It is committed before or with the
        queue's next message. Raises as ``open``."""

    def declarations(self) -> Mapping[str, bytes]:
        """Return the declarations of the declared queues, by name."""

    def attach(self, queue: QueueId, journal: Callable[[], Journal]) -> None:
        """Set the function that returns the queue's journal. It may be called in any thread."""

    def changed(self, queue: QueueId) -> None:
        """Notify the store that the queue's journal is not empty. Cheap."""

    def queues(self) -> Sequence[str]:
        """Return the names of all queues, orphans included."""

    def stats(self, queue: QueueId) -> QueueStats:
        """Return the numbers of a queue that was not opened, as of the last commit."""

    def shown(self, queue: QueueId) -> Counters | None:
        """Return counters that survive a kill of the hub, so that shown counters never fall. The object is not changed
        later. ``None``: the store keeps none, and current ones may be shown."""

    def created_at(self, queue: QueueId) -> float:
        """Return the epoch seconds at which the queue was created, also if it was renamed since."""

    def rename(self, old: QueueId, new: QueueId) -> None:
        """Rename a queue. ``old`` must exist, and ``new`` must not. An open queue has its new name after a ``flush``,
        before which nothing may be appended to it."""

    def delete(self, queue: QueueId) -> None:
        """Delete a queue with the next commit. It must not be used afterwards."""


class Log(Protocol):
    """The messages, each stored once for all queues."""

    durable: bool
    """True if messages are stored, so that queues need not hold their backlogs in memory."""

    def append(self, batch: RoutedBatch, stored: Callable[[], None] | None) -> bool:
        """Append a batch, before its messages are delivered to any worker.

        :param stored: called once, in any thread, when the batch is committed; only then may it be confirmed to its
            sender. ``None``: nobody waits for it.
        :returns: whether the store is *careful*, and has waited for the commit: the hub was killed recently with an
            uncommitted message in flight, whose kills can't be counted. The batch should be confirmed before a worker
            gets it, or the sender would send it again as a new one.
        """

    def read(self, queue: QueueId, position: int, count: int, size: int) -> Sequence[Run]:
        """Return the queue's messages from a position on: about ``count`` of them, or about ``size`` bytes, but at
        least one if there is one. Positions missing in between are settled."""

    def watch_size(self, size: int, call: Callable[[], object]) -> None:
        """Make a call once ``size`` more bytes were appended: within ``append``, which appended them. It replaces the
        call before. To call it belongs to the thread that appends."""

    def pending(self) -> int:
        """Return the number of batches that are not committed. Cheap."""

    def when_stored(self, call: Callable[[], object], at_once: bool = True) -> None:
        """Call ``call`` once, in any thread, when all batches and journals so far are committed. The call is never made
        if the disk has failed.

        :param at_once: whether that commit is made at once; else when it is due for a sender that waits.
        """

    def flush(self, timeout: float) -> bool:
        """Wait until all batches and journals so far are committed. Returns whether they are."""


class LogReader(Protocol):
    """Reader of the committed log with its history, in short steps. Offsets are those of :class:`LogPortion`."""

    def end(self) -> int:
        """Return the offset after all committed messages."""

    def since(self, time: float) -> int:
        """Return an offset before which nothing was received at ``time`` (epoch seconds) or later."""

    def last(self, wanted: Wanted, below: int) -> tuple[int | None, int]:
        """Look for the last wanted message below an offset.

        :returns: its offset, or ``None``; and the offset below which to look next, 0 if nothing is left.
        """

    def read(self, offset: int, wanted: Wanted) -> LogPortion:
        """Read wanted messages from an offset on: a bounded number, or none. Damaged pages are logged, and left out."""


class HistoryStore(Protocol):
    """Messages that all queues have settled, kept for a while."""

    keeps: bool
    """True if history is kept."""

    @property
    def log_reader(self) -> LogReader | None:
        """Reader of the log with its history; ``None``: no history is kept."""

    def kept(self, since: float, until: float, queue: QueueId) -> Iterator[Sequence[Kept]]:
        """Yield the kept messages received from ``since`` to ``until`` (epoch seconds), in order. Each step is short,
        and may be empty. A message with a time in the future was received while the clock was ahead: it gets the time
        of the one before it."""

    def history(self, queue: QueueId, first: int, stop: int) -> Iterator[tuple[int, Sequence[Kept]]]:
        """Yield the messages of the kept pages from the number ``first`` up to, not including, ``stop``: in order, a
        page in each step, with the page number to continue from."""

    def beginning(self, queue: QueueId) -> Beginning | None:
        """Return the committed progress of a new queue's backfill; ``None``: there is none, or it is complete."""

    def bound(self, size: int | None) -> None:
        """Limit the bytes in use from now on, by deleting the oldest history. ``None``: no limit."""


class DeadLetters(Protocol):
    """Dead letters of the queues."""

    def dead_letters(self, queue: QueueId, after: int = 0, size: int | None = None) -> Sequence[DeadLetter]:
        """Return a copy of the dead letters, the oldest first.

        :param after: return only higher numbers.
        :param size: about so many bytes, but at least one letter if there is one; ``None``: all.
        """

    def letter(self, queue: QueueId, number: int) -> DeadLetter | None:
        """Return the dead letter with that number, or ``None``. Reads no other."""

    def remove_letters(self, queue: QueueId, numbers: Sequence[int], again: bool = False) -> None:
        """Remove dead letters that were deleted or retried. They are hidden at once.

        :param again: whether they were retried: they are deleted only when all earlier batches are committed.
        """

    def kept_dead_letters(self, queue: QueueId) -> int:
        """Return the number of dead letters."""

    def lost_dead_letters(self, queue: QueueId) -> int:
        """Return the number of dead letters that were evicted for newer ones; only grows."""

    def limit_dead_letters(self, queue: QueueId, count: int, size: int | None = None, age: float | None = None) -> None:
        """Limit the dead letters from now on: the oldest are evicted, and counted as lost. Ages are checked now.

        :param size: bytes of all; the newest one always stays. :param age: seconds.
        """


class OutboxStore(Protocol):
    """Outgoing messages, until the bus has them."""

    def outbox(self, backend: str, after: int, count: int) -> OutboxPortion:
        """Return committed outgoing messages of one backend with numbers above ``after``, without those that were sent.
        ``count`` messages, of all backends, are read."""

    def outbox_counts(self) -> tuple[Mapping[str, int], int]:
        """Return the number of outgoing messages of each backend, and the highest message number, or 0."""

    def sent(self, number: int) -> None:
        """Delete an outgoing message that has been sent."""


class Slot(Protocol):
    """Slot for the positions that one worker has in flight: after a kill they are suspected."""

    def hold(self, start: int, stop: int) -> None:
        """Record the positions in flight, until the next call."""

    def drop(self) -> None:
        """Record that nothing is in flight."""


class InFlightStore(Protocol):
    """Positions that workers have in flight."""

    def slot(self, queue: QueueId) -> Slot:
        """Return a slot for one worker of a queue."""


class Lookup(Protocol):
    """Search for messages by id."""

    def find(self, id_: str, since: float) -> Iterator[tuple[Sequence[Found], float]]:
        """Yield the messages with that id, the newest first. Each step is short, and may be empty; it has the time
        (epoch seconds) back to which the search has come. A message may come twice.

        :param since: epoch seconds; messages stored before are not searched.
        """

    def find_letters(self, id_: str) -> Iterator[Sequence[tuple[str, DeadLetter]]]:
        """Yield the dead letters with that id, each with its queue, in short steps."""

    def settled(self, queue: QueueId, position: int) -> bool:
        """Return whether a message is settled. For a queue that is not open: at the last commit."""


class StoreCondition(Protocol):
    """State of the store, and closing it."""

    def condition(self) -> tuple[str, str]:
        """Return the state (``ok``, ``full``, ``behind`` or ``failed``) and the reason."""

    def watch(self, on_state: Callable[[str, str], None], on_outgoing: Callable[[int, list[Outgoing]], None]) -> None:
        """Set the callbacks, which are called in any thread. ``on_state``: with a new state and its reason; it should
        call ``condition`` for the current one. ``on_outgoing``: with committed outgoing messages, numbered from its
        first argument on."""

    def status(self) -> Mapping[str, Any]:
        """Return JSON-able numbers. Counters only grow."""

    def close(self) -> bool:
        """Commit everything and close. Returns whether everything is committed."""


class Store(QueueStore, Log, HistoryStore, DeadLetters, OutboxStore, InFlightStore, Lookup, StoreCondition, Protocol):
    """A store with all its parts."""
