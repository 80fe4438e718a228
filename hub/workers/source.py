"""Work sources: the interface of a queue that workers and crews use. :class:`hub.queue.queue.Queue` is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hub.deadletter import DeadLetter
from hub.queue.delivery import Delivery
from hub.store import Outgoing, Slot


class WorkSource(Protocol):
    """Source of deliveries, each of which is settled, retried or given back. Thread-safe.

    :ivar name: name of the consumer, for logs. :ivar paused: whether it delivers nothing until it is resumed.
    :ivar closed: whether ``take`` returns at once, without a message.
    :ivar durable: whether what its messages publish is stored with their end, and waits on the disk for its bus.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - see the class
    @property
    def paused(self) -> bool: ...  # noqa: D102
    @property
    def closed(self) -> bool: ...  # noqa: D102
    @property
    def durable(self) -> bool: ...  # noqa: D102

    def take(self, limit: int, timeout: float | None = None, linger: float = 0.0) -> Delivery | None:
        """Take the next messages, at most ``limit``.

        :param timeout: most seconds to wait; ``None``: until there is one.
        :param linger: seconds to wait for ``limit`` messages, once there is one.
        :returns: ``None``: the timeout has passed, or the source is closed, or ``nudge`` was called.
        """

    def finish(self, delivery: Delivery, upto: int, outbox: Sequence[Outgoing] = ()) -> None:
        """Settle the messages before the index ``upto`` as finished. :param outbox: messages that they published."""

    def bury(self, delivery: Delivery, failed: bool, letter: DeadLetter) -> None:
        """Settle the next message as a dead letter. :param failed: whether it failed; else it was rejected."""

    def retry(self, delivery: Delivery, delay: float, failed: bool, why: str = "", killed: bool = False) -> None:
        """Retry the next message after ``delay`` seconds.

        :param failed: whether the attempt counts towards ``max_attempts``. :param why: the reason, for an operator.
        :param killed: whether the process that handled the message was killed.
        """

    def give_back(self, delivery: Delivery) -> None:
        """Return unsettled messages without counting an attempt. Does nothing if none are left."""

    def give_back_from(self, delivery: Delivery, first: int) -> None:
        """Return the messages from the index ``first`` on; those before it stay in flight."""

    def touch(self, delivery: Delivery) -> None:
        """Renew the lease of a delivery that is still being worked on, if the source has leases."""

    def slot(self) -> Slot:
        """A slot in which one worker records its messages in flight."""

    def open(self) -> None:
        """Deliver messages again, after ``close``."""

    def close(self) -> None:
        """Close the source: ``take`` returns ``None`` at once. Nothing is lost."""

    def nudge(self) -> None:
        """Make all threads that wait in ``take`` return without a message."""
