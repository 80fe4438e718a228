"""Protocols of declared queues: a backend declares a queue, puts messages into it, and reads it, for clients of its
own. This module holds no behaviour."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, Literal, Protocol

import msgspec

from hub.deadletter import DeadLetter
from hub.message import Message
from hub.receipt import Answer


class QueueLimits(msgspec.Struct, frozen=True):
    """The limits of a declared queue.

    :ivar max_backlog: messages; ``None``: no bound, or 100 000 for a queue in memory.
    :ivar max_bytes: bytes of bodies; ``None``: no bound, or 128 MiB for a queue in memory.
    :ivar overflow: what a full queue does: drop what comes (``drop_newest``), drop what waits longest
        (``drop_oldest``), or hold back all buses (``block``).
    :ivar max_age: seconds after which a message that nobody took is dropped; ``None``: never.
    """

    max_backlog: int | None = None
    max_bytes: int | None = None
    overflow: Literal["block", "drop_oldest", "drop_newest"] = "drop_newest"
    max_age: float | None = None


NO_LIMITS = QueueLimits()


class Taken(Protocol):
    """A message in the hands of a reader."""

    @property
    def current(self) -> Message:
        """The message."""

    @property
    def attempts(self) -> int:
        """Number of earlier deliveries, as far as the hub knows: it may have been killed."""

    @property
    def failures(self) -> int:
        """Number of those that failed: the reader had the message retried as failed."""

    @property
    def position(self) -> int:
        """Its position in the queue, by which a message that was given back is found again."""

    @property
    def priority(self) -> int:
        """Its priority in the queue."""


class QueueReader(Protocol):
    """The only reader of a declared queue. Belongs to the reactor's thread. Each message that it took must be settled,
    alone and in any order: finished, expired, retried, buried or given back.

    :ivar paused: whether an operator has paused the queue: ``take`` finds nothing, and what was set aside stays there.
    """

    @property
    def paused(self) -> bool: ...  # noqa: D102 - see the class

    def serve(self, clients: int) -> None:
        """Note the number of clients that it reads for, which the status shows as ``readers``; 1 until it is told."""

    def take(self, limit: int) -> Sequence[Taken]:
        """Take the next messages, at most ``limit``. Empty: there are none now; ``on_ready`` is called once there may
        be some, also when a delayed one is due."""

    def finish(self, taken: Sequence[Taken]) -> None:
        """Settle messages as finished, at the cost of one lock."""

    def expire(self, taken: Sequence[Taken]) -> None:
        """Settle messages whose time is over: they count as dropped, ``expired``."""

    def finish_waiting(self, position: int) -> bool:
        """Settle a message as finished that was taken before and waits again: it was given back, set aside or retried.
        Whatever waits before it, and also while the queue is paused.

        :returns: false: it does not wait: somebody has it, or it was settled.
        """

    def give_back(self, taken: Sequence[Taken], delivered: bool) -> None:
        """Return messages to the front of the queue, in their order there.

        :param delivered: whether they may have been seen: the next delivery has one more of ``attempts``.
        """

    def set_aside(self, taken: Sequence[Taken], delivered: bool) -> None:
        """Let messages wait where ``take`` does not find them, until ``reclaim``: nobody wants them now, and others
        wait behind them. They stay in memory, and count as waiting: they may be purged, expire, or be dropped.

        :param delivered: as in ``give_back``.
        """

    def reclaim(self, taken: Sequence[Taken]) -> Sequence[Taken]:
        """Take messages again that were set aside; those that were dropped meanwhile are left out."""

    def retry(self, taken: Taken, delay: float, why: str = "", failed: bool = True) -> None:
        """Return a message, to be delivered again after ``delay`` seconds. It counts as an attempt.

        :param why: the reason, for an operator. :param failed: whether the attempt failed; else it was put off.
        """

    def bury(self, taken: Taken, why: str) -> None:
        """Make a message a dead letter of the queue. It counts as rejected. :param why: the reason."""

    def close(self) -> None:
        """Stop reading; idempotent. The caller settles what it took; what it has set aside is given back."""


class DeclaredQueue(Protocol):
    """A declared queue. Belongs to the reactor's thread. After its deletion all methods raise ``HubError``.

    :ivar name: name of the queue. :ivar durable: whether it outlives the hub.
    """

    name: str
    durable: bool

    @property
    def bindings(self) -> Collection[str]:
        """The topic patterns of the hub's messages that are routed to the queue too."""

    @property
    def backlog(self) -> int:
        """Number of messages that are not settled."""

    @property
    def draining(self) -> bool:
        """True while an operator drains the queue: it takes no messages."""

    def bind(self, pattern: str) -> None:
        """Route the hub's messages that match a topic pattern to the queue; the buses are subscribed to it. Idempotent.

        :raises HubError: the queue has too many bindings, or the pattern is invalid.
        """

    def unbind(self, pattern: str) -> None:
        """Remove a binding, if it is there."""

    def put(
        self,
        messages: Sequence[Message],
        tokens: Sequence[Any] = (),
        answer: Answer | None = None,
        delays: Sequence[float] = (),
        priorities: Sequence[int] = (),
    ) -> None:
        """Put messages into this queue alone: they are not routed, and no subscription shows them.

        :param tokens: passed to ``Backend.confirm``: of a durable queue after the commit, else in the next turn. With
            ``confirm = "settled"`` one for each message, after the work, or, where nobody reads a durable queue, after
            the commit.
        :param answer: called with the receipt before this method returns; those of ``full`` were dropped.
        :param delays: seconds for each message until it is delivered, also if the hub restarts meanwhile; empty: now.
            A full queue drops a delayed message that arrives, whatever its overflow mode.
        :param priorities: one of :data:`hub.message.PRIORITIES` for each message; empty: all have the default. A
            message is delivered before all of lower priority that wait, and those of one priority in order, also if
            the hub restarts meanwhile. A queue that drops the oldest drops those of the lowest priority.

        A message with the header :data:`hub.headers.EXPIRES` is dropped at that time, wherever it waits in the queue:
        it is counted as expired, and not delivered later, though it may keep its room until its turn comes.
        """

    def reader(self, on_ready: Callable[[], None]) -> QueueReader:
        """Read the queue. :param on_ready: called in the reactor's thread when there may be messages again.

        :raises ValueError: the queue is being read already.
        """

    def dead_letters(self, after: int, size: int) -> Sequence[DeadLetter]:
        """Return dead letters of the queue, the oldest first. It reads the store; any thread may call it.

        :param after: return only higher numbers. :param size: about so many bytes.
        """

    def remove_letters(self, numbers: Sequence[int]) -> None:
        """Remove dead letters, by their numbers."""

    def delete(self) -> None:
        """Delete the queue with its messages and dead letters. Its owner's ``on_deleted`` is not called."""


class QueueDeclarations(Protocol):
    """The queues that one backend declares. Belongs to the reactor's thread. Call it from ``Backend.start`` on."""

    def declare(
        self,
        name: str,
        *,
        durable: bool,
        topics: Collection[str] = (),
        limits: QueueLimits = NO_LIMITS,
        kind: str | None = None,
        crowd: str | None = None,
        on_deleted: Callable[[], None] | None = None,
    ) -> DeclaredQueue:
        """Declare a queue, or return the one that was declared before, with these limits from now on.

        A durable queue is kept until it is deleted, with its bindings, also while nobody reads it. A queue in memory
        ends with the backend.

        :param name: as :mod:`hub.queue_name` allows.
        :param topics: bindings to add, as by ``DeclaredQueue.bind``.
        :param kind: the type of its owner as the status has it; ``None``: the type of the backend.
        :param crowd: of a queue that belongs to one client, such as a subscription: the row of the status that sums all
            these, such as ``stomp subscriptions``. Exporters are shown that row alone, and the headline is about none
            of them. ``None``: the queue is known by its name, and has a row for itself.
        :param on_deleted: called after an operator has deleted the queue.
        :raises HubError: the name is invalid, or another part of the hub has a queue of that name, or it was declared
            with another ``durable``.
        """

    def get(self, name: str) -> DeclaredQueue | None:
        """Return a queue of this backend, declared since the hub started or before; ``None``: there is none."""

    def names(self) -> Sequence[str]:
        """Return the names of this backend's queues."""
