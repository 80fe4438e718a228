"""Deliveries in flight: they are settled or returned to the backlog. Pure: no lock."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from hub.deadletter import DeadLetter
from hub.queue.ack_state import AckState
from hub.queue.backlog import Backlog
from hub.queue.delivery import Delivery, Entry
from hub.queue.poison import Trial
from hub.queue.tied import Tied
from hub.queue.waiters import Waiters
from hub.store import Outgoing, Try


class InFlight:
    """The deliveries of one queue.

    :ivar halted_until: monotonic seconds until which the queue delivers nothing: its next message is suspected of a
        kill, and another suspect is in flight in some queue.
    :ivar read_ahead: deliveries that were read for the queue's reader, which has not taken them yet.
    """

    def __init__(self, acks: AckState, backlog: Backlog, waiters: Waiters, trial: Trial) -> None:
        self.halted_until = float("-inf")
        self.read_ahead: deque[Delivery] = deque()
        self._acks = acks
        self._backlog = backlog
        self._waiters = waiters
        self._trial = trial
        self._deliveries: dict[Delivery, None] = {}

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._deliveries)

    def add(self, delivery: Delivery) -> None:
        """Add a delivery that a worker gets."""
        self._deliveries[delivery] = None

    def finish(
        self,
        delivery: Delivery,
        upto: int,
        outbox: Sequence[Outgoing],
        sent: Callable[[Tied], object] = lambda tied: None,
    ) -> None:
        """Settle the messages before the index ``upto`` as finished.

        :param outbox: messages that they published. :param sent: called when the bus has those that no store keeps.
        """
        self._acks.counters.finished += upto - delivery.done
        if outbox:
            self._acks.journal.outbox.extend(outbox)
            self.settle(delivery, upto, (0, len(outbox)), self._acks.tie(outbox, sent))
        else:
            self.settle(delivery, upto)

    def finish_each(self, deliveries: Sequence[Delivery]) -> None:
        """Settle deliveries of one message each as finished, in any order."""
        self._acks.counters.finished += len(deliveries)
        self._settle_each(deliveries)

    def expire_each(self, deliveries: Sequence[Delivery]) -> None:
        """Settle deliveries of one message each as expired, in any order."""
        self._acks.counters.dropped_expired += len(deliveries)
        self._settle_each(deliveries)

    def _settle_each(self, deliveries: Sequence[Delivery]) -> None:
        positions = sorted([delivery.positions[0] for delivery in deliveries])
        start = stop = positions[0]
        for position in positions:
            if position != stop:
                self._acks.settle(start, stop)
                start = position
            stop = position + 1
        self._acks.settle(start, stop)
        for delivery in deliveries:
            delivery.done = 1
            self._remove(delivery)

    def bury(self, delivery: Delivery, failed: bool, rejected: bool, letter: DeadLetter) -> None:
        """Settle the next message as a dead letter. :param failed: count a failure. :param rejected: a rejection."""
        self._acks.counters.failed += failed
        self._acks.counters.rejected += rejected
        self._acks.bury(letter)
        self.settle(delivery, delivery.done + 1, (1, 0))

    def retry(self, delivery: Delivery, delay: float, failed: bool, killed: bool, now: float, wall: float) -> None:
        """Delay the next message by ``delay`` seconds; the others of its key wait behind it.

        :param now: monotonic seconds. :param wall: epoch seconds.
        """
        self._acks.counters.retried += 1
        self._acks.counters.failed += failed
        entries = delivery.rest(delivery.left if delivery.key else 1)
        first = entries[0]
        first.attempts += 1
        first.failures += failed
        first.kills += killed
        self._acks.tried(first.position, Try(first.attempts, first.failures, wall + delay, delay, first.kills))
        self.put_back(delivery, entries, now + delay)

    def settle(
        self, delivery: Delivery, upto: int, tie: tuple[int, int] | None = None, tied: Tied | None = None
    ) -> None:
        """Settle the messages before the index ``upto``. :param tie: as in ``AckState.settle``, and ``tied``."""
        positions = delivery.positions[delivery.done : upto]
        if isinstance(positions, range):
            self._acks.settle(positions.start, positions.stop, tie, tied)
        else:
            for position in positions:
                self._acks.settle(position, position + 1, tie, tied)
                tie = tie and (0, 0)
        delivery.done = upto
        if not delivery.left:
            self._remove(delivery)
            if delivery.key is not None:
                self._backlog.keys.release(delivery.key[0])
                self._waiters.wake(1)

    def leave_out(self, delivery: Delivery, expired: Sequence[bool]) -> Delivery | None:
        """Settle some messages of a delivery without a key as expired. :returns: the delivery with the others, or
        ``None`` if there are none."""
        kept = [at for at, out in enumerate(expired) if not out]
        for at, out in enumerate(expired):
            if out:
                self._acks.settle(delivery.positions[at], delivery.positions[at] + 1)
        self._acks.counters.dropped_expired += len(expired) - len(kept)
        delivery.messages = [delivery.messages[at] for at in kept]
        delivery.positions = [delivery.positions[at] for at in kept]
        if kept:
            return delivery
        self._remove(delivery)
        return None

    def put_back(self, delivery: Delivery, entries: Sequence[Entry], due: float) -> None:
        """Return the next messages of a delivery to the backlog. :param due: monotonic seconds."""
        self._backlog.put_back(delivery, entries, due)
        delivery.done += len(entries)
        if not delivery.left:
            self._remove(delivery)
        self._waiters.wake(len(entries))

    def finish_waiting(self, position: int) -> bool:
        """Settle a message as finished that is not in flight: it was given back, or is set aside. For a queue without
        keys. Returns false if it is neither."""
        aside = self._backlog.aside.get(position)
        if aside is not None:
            self._backlog.aside.remove(aside)
        elif self._backlog.schedule.discard(position) is None:
            return False
        self._acks.counters.finished += 1
        self._acks.settle(position, position + 1)
        return True

    def put_in_front(self, delivery: Delivery) -> None:
        """Return the messages of a delivery without a key to the front of the backlog."""
        entries = delivery.rest(delivery.left)
        self._backlog.put_in_front(entries)
        delivery.done += len(entries)
        self._remove(delivery)
        self._waiters.wake(len(entries))

    def set_aside(self, delivery: Delivery) -> None:
        """Let the only message of a delivery wait aside."""
        self._backlog.aside.add(delivery)
        self._remove(delivery)

    def reclaim(self, delivery: Delivery) -> bool:
        """Take a delivery that was set aside in flight again. Returns false if it was dropped."""
        found = self._backlog.aside.remove(delivery)
        if found:
            self.add(delivery)
        return found

    def replace(self, delivery: Delivery, parts: Sequence[Delivery]) -> None:
        """Replace a delivery by its parts."""
        del self._deliveries[delivery]
        self._deliveries.update(dict.fromkeys(parts))

    def put_back_from(self, delivery: Delivery, first: int, due: float) -> None:
        """Return the messages from the index ``first`` on; those before it stay in flight.

        Does nothing if none are left, or the delivery was returned meanwhile.
        """
        if delivery not in self._deliveries or first >= len(delivery.messages):
            return
        rest = delivery.split(first)
        self._backlog.put_back(rest, rest.rest(rest.left), due)
        if not delivery.left:
            self._remove(delivery)
        self._waiters.wake(rest.left)

    def _remove(self, delivery: Delivery) -> None:
        del self._deliveries[delivery]
        if delivery.kills:
            self._trial.end(delivery)
            self.halted_until = float("-inf")
            self._waiters.wake_all()
