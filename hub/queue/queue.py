"""The queue of one consumer. The reactor and the workers share it, and its lock is the only one between them.

Each message that is routed here gets the queue's next *position*. The states of one message::

    admit, offer ---> ready <---load--- unread     in the ready window, or in the level of its priority: in memory, or
                        |                          only in the store, where the queue is behind
                        +---> in key order         where there are keys: behind the others of its key
                        |          |
                        v          v
                     in flight <----------------+  a worker has it
                        |  |  |                 |
                        |  |  +--> delayed -----+  retry: until it is due
                        |  |  +--> aside -------+  set_aside: until its reader reclaims it
                 finish |  |  +--> ready           give_back
                        |  | bury
                        v  v
                  settled  dead                    and dropped: overflow, max_age, purge, drain, damage

At any moment ``received == finished + dead + dropped + backlog``. The lock is held for constant time and never while
calling out. Positions and the ack window, not the messages, tell what is left; the *journal* holds the changes since
the store fetched it last.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from hub.deadletter import DeadLetter
from hub.interfaces import Clock
from hub.message import DEFAULT_PRIORITY, Message
from hub.queue.ack_state import AckState
from hub.queue.ages import Ages
from hub.queue.announcer import Announcer
from hub.queue.backlog import Backlog
from hub.queue.delivery import Delivery
from hub.queue.expiry import ExpireReady, drop_overdue
from hub.queue.in_flight import InFlight
from hub.queue.inspect import Inspector, numbers
from hub.queue.next_read import next_read
from hub.queue.overflow import Overflow
from hub.queue.poison import Trial, killed_again, recover
from hub.queue.policy import QueuePolicy
from hub.queue.purge import purge_steps
from hub.queue.stored import StoredQueue
from hub.queue.waiters import Wait, Waiters
from hub.queue.work import LoadKey, SortByKey, Work, prepare
from hub.stats.counters import Counters, QueueStats
from hub.store import Journal, Outgoing, Slot, Store


class Queue:
    """A queue. Only the reactor calls ``admit``, ``offer`` and ``bury_unqueued``; all other methods are thread-safe.

    :param clock: monotonic seconds, for retries. :param wall: epoch seconds, for ages and stored times.
    :param on_room: called, without the lock, when a full queue has room again.
    :param trial: the hub's trial of poison messages; ``None``: the queue makes its own.
    :ivar paused: whether it delivers nothing. :ivar closed: whether ``take`` returns at once.
    :ivar durable: whether its messages outlive the hub.
    :ivar next_position: the position of the next message that is admitted.
    :ivar inspect: read-only inspection. :ivar stored: the stored part of the queue.
    :ivar announcer: tells a watcher which positions were settled.

    The other attributes are private to this package.
    """

    def __init__(
        self,
        name: str,
        policy: QueuePolicy,
        store: Store,
        clock: Clock,
        wall: Clock,
        on_room: Callable[[], None] = lambda: None,
        trial: Trial | None = None,
    ) -> None:
        state = store.open(name)
        self.name = name
        self.store, self.durable = store, store.durable
        self.stored = StoredQueue(store, name)
        self.clock, self.wall = clock, wall
        self.paused = self.closed = self.loading = False
        self.lock = threading.Lock()
        self.waiters = Waiters(self.lock)
        self.trial = trial or Trial(clock)
        self.acks = AckState(state, store.durable)
        self.announcer = Announcer(name, store, self.lock, self.acks, self.waiters, on_room)
        self.announce = self.announcer.announce
        self.backlog = Backlog(self.acks, policy.window if store.durable else None, state.floor, state.next_position)
        self.overflow = Overflow(policy, self.acks, self.backlog)
        self.in_flight = InFlight(self.acks, self.backlog, self.waiters, self.trial)
        self.ages = Ages(clock, wall)
        self.next_position = state.next_position
        self._reasons: dict[int, str] = {}
        entries = recover(store, name, state, policy.max_kills, self.acks, clock(), wall())
        self.backlog.restore(state, entries, policy.key_of is not None)
        self._recovered = self.backlog.schedule.recovered
        store.attach(name, self.take_journal)
        store.changed(name)

    # -- the reactor's side

    def admit(
        self, messages: Sequence[Message], size: int, if_room: bool = False
    ) -> tuple[int, Sequence[Message], int]:
        """Admit a batch: give positions to the messages that fit. They are delivered after ``offer``.

        :param size: bytes of its bodies.
        :param if_room: receive only what fits, and drop nothing: the caller keeps the rest.
        :returns: the first position, the messages that were admitted, their bytes.
        """
        with self.lock:
            kept, size = self.overflow.admit(messages, size, if_room)
            start = self.next_position
            self.next_position += len(kept)
            return start, kept, size

    def offer(self, start: int, messages: Sequence[Message], size: int, priority: int = DEFAULT_PRIORITY) -> bool:
        """Offer admitted messages for delivery; a durable queue's were appended before. The list must not change.

        :param priority: of all of them; another than the default only if messages have no keys.
        :returns: whether to hold back the bus: the queue is full, and its overflow mode is ``block``.
        """
        policy = self.overflow.policy
        with self.lock:
            self.backlog.arrive(start, messages, size, priority)
            self.ages.arrive(start, policy.max_age)
            self.overflow.arrived(len(messages))
            self.waiters.wake(len(messages))
            full = self.overflow.full
        self.announce(False, policy.overflow == "drop_oldest")  # it may have dropped some
        return full

    def bury_unqueued(self, letter: DeadLetter) -> None:
        """Bury an unusable message without queueing it."""
        with self.changing(journal=True):
            self.acks.counters.received += 1
            self.acks.bury(letter)

    # -- the workers' side

    def take(self, limit: int, timeout: float | None = None, linger: float = 0.0) -> Delivery | None:
        """Take the next messages, or wait for one. Each of them must be settled or given back.

        A worker that finds a piece of work does it without the lock, then tries again.

        :param timeout: most seconds to wait; ``None``: until there is one.
        :param linger: seconds to wait for ``limit`` messages, once there is one.
        :returns: ``None``: the timeout has passed, or the queue is closed, or ``nudge`` was called.
        """
        now = self.clock()
        wait = Wait(now, timeout, linger)
        nudges = self.waiters.nudges
        while True:
            with self.lock:
                if self.closed or nudges != self.waiters.nudges:
                    return None
                found = self.next_step(limit, now, wait)
                if found is None:
                    if wait.over(now):
                        return None
                    self.waiters.sleep(self.seconds_to_wait(now, wait))
            if found is not None:
                delivery = found if isinstance(found, Delivery) else found.run()
                if delivery is not None:
                    return delivery
            now = self.clock()

    def next_step(self, limit: int, now: float, wait: Wait) -> Delivery | Work | None:
        """The next delivery, or a piece of work that must be done first. Under the lock."""
        ready = self.backlog.ready
        wait.lingering = False
        if self.paused or now < self.in_flight.halted_until:
            return None
        unread = ready.loaded < ready.next_position or self._recovered.exempted or self.backlog.levels.used
        if unread and not self.loading and (work := next_read(self)):
            return work
        if wait.linger and wait.lingers(now, len(ready.batches), limit):
            return None
        policy = self.overflow.policy
        delivery = self.backlog.take(limit, now, policy.key_of is not None)
        if delivery is None:
            return LoadKey.needed(self) or SortByKey.needed(self)
        self.in_flight.add(delivery)
        if delivery.attempts or delivery.unread or policy.max_age is not None or policy.expires:
            return prepare(self, delivery) or delivery
        return delivery

    def seconds_to_wait(self, now: float, wait: Wait) -> float | None:
        """Seconds until something is due; ``None``: until a wake-up. Under the lock."""
        if wait.lingering:
            return wait.until - now
        halted = now < self.in_flight.halted_until
        paused = self.paused or (self.loading and self.backlog.halted)
        due = None if paused else self.in_flight.halted_until if halted else self.backlog.next_due
        times = [time for time in (wait.deadline, due) if time is not None]
        return max(0.0, min(times) - now) if times else None

    def finish(self, delivery: Delivery, upto: int, outbox: Sequence[Outgoing] = ()) -> None:
        """Settle the messages before the index ``upto`` as finished. :param outbox: messages that they published."""
        with self.lock:
            self.in_flight.finish(delivery, upto, outbox, self.announcer.sent)
            room = self.overflow.made_room()
        self.announce(room, self.durable or bool(outbox))

    def bury(self, delivery: Delivery, failed: bool, letter: DeadLetter) -> None:
        """Settle the next message as a dead letter. :param failed: whether it failed; else it was rejected."""
        with self.changing(journal=True):
            self.in_flight.bury(delivery, failed, not failed, letter)

    def retry(self, delivery: Delivery, delay: float, failed: bool, why: str = "", killed: bool = False) -> None:
        """Retry the next message after ``delay`` seconds. The others of its key wait behind it; ``delivery`` is then
        empty.

        :param failed: whether the attempt counts towards ``max_attempts``. :param why: the reason, kept for a while.
        :param killed: whether its process was killed. That counts as a kill of the hub: the message is delivered
            alone, and after ``max_kills`` it is a dead letter.
        """
        if killed and delivery.kills + 1 >= self.policy.max_kills:
            letter = killed_again(self.name, delivery, self.wall())
            with self.changing(journal=True):
                self.in_flight.bury(delivery, failed, False, letter)
            return
        with self.lock:
            self.inspect.note(delivery.positions[delivery.done], why)
            self.in_flight.retry(delivery, delay, failed, killed, self.clock(), self.wall())
        self.announce(False, True)

    def touch(self, delivery: Delivery) -> None:
        """Does nothing: deliveries of this queue have no lease to renew."""

    def slot(self) -> Slot:
        """A slot in which one worker records its messages in flight."""
        return self.stored.slot()

    def give_back(self, delivery: Delivery) -> None:
        """Return unsettled messages without counting an attempt. Retries are due at once, the others are ready."""
        with self.lock:
            if delivery.left:
                self.in_flight.put_back(delivery, delivery.rest(delivery.left), self.clock())
        self.announce(False, False)

    def give_back_from(self, delivery: Delivery, first: int) -> None:
        """Return the messages from the index ``first`` on; those before it stay in flight."""
        with self.lock:
            self.in_flight.put_back_from(delivery, first, self.clock())
        self.announce(False, False)

    @contextmanager
    def changing(self, journal: bool = False, wake: bool = True) -> Iterator[None]:
        """Context of a change under the lock, announced afterwards. :param wake: threads may find a message now."""
        with self.lock:
            yield
            room = self.overflow.made_room()
            if wake:
                self.waiters.wake_all()
        self.announce(room, journal)

    def renamed(self, name: str) -> None:
        """Use the new name that the queue has in the store."""
        self.name = self.stored.name = self.announcer.name = name

    @property
    def inspect(self) -> Inspector:
        """Made anew: kept, it would be a cycle, and the messages of a deleted queue would stay in memory."""
        return Inspector(self, self._reasons)

    @property
    def policy(self) -> QueuePolicy:
        """The settings of the queue."""
        return self.overflow.policy

    def adopt(self, policy: QueuePolicy) -> None:
        """Replace the settings."""
        with self.changing(journal=True):
            self.overflow.policy = policy

    @property
    def full(self) -> bool:
        """True if the buses were asked to hold back, and no room was made since."""
        return self.overflow.full

    @property
    def draining(self) -> bool:
        """True if new messages are dropped."""
        return self.overflow.draining

    def over_quota(self, over: bool) -> None:
        """Set whether the store exceeds ``max_disk``."""
        with self.changing(wake=False):
            self.overflow.over_quota = over

    def pause(self) -> None:
        """Deliver nothing until ``resume``. Messages in flight are not affected."""
        with self.changing():
            self.paused = True

    def drain(self) -> None:
        """Drop new messages until ``resume``. No bus is held back for them."""
        with self.changing():
            self.overflow.draining = True

    def resume(self) -> None:
        """Undo ``pause`` and ``drain``."""
        with self.changing():
            self.paused = self.overflow.draining = False

    def close(self) -> None:
        """Close the queue: ``take`` returns ``None`` at once. Nothing is lost."""
        with self.changing():
            self.closed = True

    def open(self) -> None:
        """Deliver messages again, after ``close``."""
        with self.changing():
            self.closed = False

    def nudge(self) -> None:
        """Make all threads that wait in ``take`` return without a message."""
        with self.lock:
            self.waiters.nudge()

    def purge(self) -> int:
        """Drop waiting messages; see :class:`hub.queue.purge.Purge`. Returns their number."""
        *_, dropped = purge_steps(self)
        return dropped

    def expire(self, reads: bool = True) -> bool:
        """Drop messages that are too old or overdue, in bounded time. :param reads: whether it may read overdue ones.
        :returns: whether it did."""
        if (max_age := self.policy.max_age) is not None:
            ExpireReady(self, max_age).run()
        return self.policy.expires and drop_overdue(self, reads)

    def count_on(self, counters: Counters) -> None:
        """Continue the counters of an earlier queue of this name. Before the queue is used."""
        with self.changing(journal=True):
            self.acks.counters = replace(counters)

    def stats(self, last: QueueStats | None = None) -> QueueStats:
        """Numbers, read at one moment. :param last: earlier ones, returned if nothing has changed: that is cheaper."""
        with self.lock:
            return numbers(self.acks, self.backlog, self.in_flight, last)

    def take_journal(self) -> Journal:
        """Return the changes since the last call. Called by the store."""
        with self.lock:
            return self.acks.take_journal(self.backlog.total_size, self.next_position)
