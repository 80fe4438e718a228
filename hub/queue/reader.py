"""Reader of a queue for code without a thread: a callback when messages are ready, and a ``take`` that never waits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hub.queue.delivery import Delivery
from hub.queue.queue import Queue
from hub.queue.singles import Singles
from hub.queue.waiters import NO_WAIT
from hub.queue.work import LoadDelivery, Work

Elsewhere = Callable[[Callable[[], None]], object]
"""Runs a call in another thread, or later."""


class Reader:
    """The only listener of a queue. ``take`` never waits, and never reads the store in the caller's thread.

    The queue settles, retries or takes back a delivery, as it does for a worker. Messages that were given back keep
    their order: while the first of them are read from the store, ``take`` returns no later ones.

    :param on_ready: called in any thread, without a lock, when there may be messages: once after each ``take`` that
        found none. It is not called for messages that become due by time: see ``seconds_to_wait``.
    :param elsewhere: runs calls that read the store, in a thread pool, say; ``on_ready`` is called afterwards.
    :raises ValueError: the queue has a listener already.
    """

    def __init__(self, queue: Queue, on_ready: Callable[[], None], elsewhere: Elsewhere) -> None:
        self._queue = queue
        self._singles = Singles(queue)
        self._elsewhere = elsewhere
        self._loaded = queue.in_flight.read_ahead
        self._reading: Delivery | None = None
        """The delivery that is being read, which comes before all others."""
        self._done: set[int] = set()
        """Positions of messages in it that are to be settled as finished when it was read."""
        self._open = True
        with queue.lock:
            queue.waiters.listen(on_ready)

    def take(self, limit: int) -> Delivery | None:
        """Take the next messages, at most ``limit``; ``None``: there are none now, or they are being read."""
        queue = self._queue
        while True:
            with queue.lock:
                found = self._next(limit)
                if found is None:
                    queue.waiters.arm()
                    return None
            if isinstance(found, Delivery):
                return found
            if found.reads:
                self._elsewhere(partial(self._run, found))
            elif (delivery := found.run()) is not None:
                return delivery

    def take_each(self, limit: int) -> list[Delivery]:
        """Take the next messages, at most ``limit``, each in a delivery of its own. For a queue without keys."""
        found: list[Delivery] = []
        while len(found) < limit and (delivery := self.take(limit - len(found))) is not None:
            found += self._singles.split(delivery)
        return found

    def _next(self, limit: int) -> Delivery | Work | None:
        queue = self._queue
        if queue.closed or not self._open or self._reading is not None:
            return None
        if self._loaded and not queue.paused:
            if not queue.backlog.overtakes(self._loaded[0]):
                return self._next_loaded(limit)
            while self._loaded:  # earlier ones were given back meanwhile, or some of a higher priority have come
                queue.in_flight.put_in_front(self._loaded.popleft())
        found = queue.next_step(limit, queue.clock(), NO_WAIT)
        self._reading = found.delivery if isinstance(found, LoadDelivery) else None
        return found

    def _next_loaded(self, limit: int) -> Delivery:
        delivery = self._loaded.popleft()
        if delivery.left > limit:  # it was read for a larger ``take``
            rest = delivery.split(limit)
            self._queue.in_flight.add(rest)
            self._loaded.appendleft(rest)
        return delivery

    def _run(self, work: Work) -> None:
        delivery = None
        try:
            delivery = work.run()
        finally:
            self._ran(work, delivery)

    def _ran(self, work: Work, delivery: Delivery | None) -> None:
        queue = self._queue
        with queue.lock:
            if isinstance(work, LoadDelivery):
                self._reading = None
                queue.waiters.wake_all()
            if delivery is not None and self._open:
                self._loaded.append(delivery)
                queue.waiters.wake_all()
            elif delivery is not None:
                queue.in_flight.put_in_front(delivery)
            done, self._done = self._done, set()
            for position in done:
                self._finish(position)
            room = queue.overflow.made_room() if done else False
        queue.announce(room, bool(done))

    def finish_waiting(self, position: int) -> bool:
        """Settle a message as finished that waits for another delivery, wherever it is. For a queue without keys.

        :returns: false: it does not: it is in flight, or was settled.
        """
        queue = self._queue
        with queue.lock:
            reading = self._reading
            if reading is not None and position in reading.positions:
                self._done.add(position)
                return True
            found = self._finish(position)
            room = queue.overflow.made_room()
        queue.announce(room, found)
        return found

    def _finish(self, position: int) -> bool:
        queue = self._queue
        for delivery in [one for one in self._loaded if position in one.positions]:
            self._loaded.remove(delivery)
            queue.in_flight.put_in_front(delivery)
        return queue.in_flight.finish_waiting(position)

    def seconds_to_wait(self) -> float | None:
        """Seconds until a message is due by time; ``None``: none is, or one is being read."""
        with self._queue.lock:
            return None if self._reading is not None else self._queue.seconds_to_wait(self._queue.clock(), NO_WAIT)

    def close(self) -> None:
        """Stop listening. Messages that were read and not taken, or set aside, are returned; the caller settles those
        that it has in hand."""
        queue = self._queue
        with queue.lock:
            if not self._open:
                return
            self._open = False
            queue.waiters.listen(None)
            while self._loaded:
                queue.in_flight.put_in_front(self._loaded.popleft())
            for delivery in list(queue.backlog.aside):
                queue.in_flight.reclaim(delivery)
                queue.in_flight.put_in_front(delivery)
        queue.announce(False, False)
