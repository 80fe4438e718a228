"""Supervisor of the crews, in the reactor: it replaces dead threads, reports stuck consumers and feeds the watchdog.

A thread can't be killed, so a consumer that hangs is logged with its message and stack, and the messages that it has
not begun are given to other threads.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Iterable

from hub.interfaces import Clock
from hub.queue.delivery import Delivery
from hub.status.consumers import WorkerRow
from hub.workers.crew import Crew
from hub.workers.worker import Worker

PERIOD = 0.5
"""Seconds between two rounds: dead threads are replaced, and stuck ones reported, within a second."""
LATE = 1.0
"""Seconds on one message after which a worker's other messages are given to other threads. Normally a worker takes no
more messages at once than it needs a few milliseconds for."""
HELD_UP = 5.0
"""Most seconds that a reload waits for current messages; then the new threads start beside the old ones."""
HUNG = 10
"""Factor: a message that takes so many times longer than nearly all others hangs."""


def stack_of(thread: threading.Thread) -> str:
    """The stack of a thread, as text; empty if it has ended."""
    frame = sys._current_frames().get(thread.ident or -1)
    return "".join(traceback.format_stack(frame)) if frame is not None else ""


def is_held_up(crew: Crew, since: float, now: float) -> bool:
    """Tell whether a crew that is stopping hangs: a message takes longer than ``HELD_UP``.

    :param since: monotonic seconds at which it was told to stop. :param now: monotonic seconds.
    """
    living = [worker for worker, thread in crew.workers if thread.is_alive()]
    begun = max((one.since if one.delivery is not None else since for one in living), default=since)
    return not crew.gone.is_set() and now - begun > HELD_UP


class Supervisor:
    """Supervisor of all crews. The service calls :meth:`round` every :data:`PERIOD`.

    :param crews: returns the current crews.
    :param feed_watchdog: called at the end of each successful round.
    """

    def __init__(
        self, crews: Callable[[], Iterable[Crew]], clock: Clock, feed_watchdog: Callable[[], None] = lambda: None
    ) -> None:
        self._crews = crews
        self._clock = clock
        self._feed_watchdog = feed_watchdog
        self._reported: dict[Worker, tuple[Delivery, int]] = {}

    def round(self) -> None:
        """Check every thread once."""
        stuck: dict[Worker, tuple[Delivery, int]] = {}
        for crew in self._crews():
            crew.replace_dead()
            for worker, thread in crew.workers:
                if (delivery := worker.delivery) is not None:
                    crew.source.touch(delivery)
                if worker.delivery is not None and self._clock() - worker.since > LATE:
                    worker.give_back_rest()
                if (delivery := self._stuck_with(crew, worker)) is None:
                    continue
                stuck[worker] = (delivery, delivery.at)
                if self._reported.get(worker) != stuck[worker]:
                    self._report(crew, worker, thread, delivery)
        self._reported = stuck
        self._feed_watchdog()

    def hung_for(self, crew: Crew, usual: float) -> float:
        """Seconds of the longest running message, if it takes far longer than usual; otherwise 0.

        :param usual: seconds that nearly all messages take.
        """
        longest = max((self._clock() - one.since for one, _ in crew.workers if one.delivery is not None), default=0.0)
        return longest if longest > max(LATE, HUNG * usual) else 0.0

    def is_stuck(self, crew: Crew) -> bool:
        """Tell whether one of its threads had exceeded its timeout at the last round."""
        return any(worker in self._reported for worker, _ in crew.workers)

    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock()

    def threads(self, crew: Crew) -> list[WorkerRow]:
        """Status rows of a crew's threads, in the order of ``crew.workers``: the message of each, and its seconds.

        ``dead``: the thread died. ``leaving``: it was told to end, and has not ended yet.
        """
        crew.forget_ended()
        return [self._row(crew, worker, thread) for worker, thread in crew.workers]

    def _row(self, crew: Crew, worker: Worker, thread: threading.Thread) -> WorkerRow:
        delivery = worker.delivery
        row: WorkerRow = {"name": thread.name, "state": "idle", "topic": None, "message_id": None, "seconds": None}
        leaving = crew.is_leaving(worker)
        if not thread.is_alive():
            row["state"] = "leaving" if leaving and delivery is None else "dead"
        elif delivery is not None and delivery.left:
            message = delivery.current
            row["state"] = "stuck" if worker in self._reported else "leaving" if leaving else "busy"
            row["topic"], row["message_id"] = message.topic, message.id
            row["seconds"] = max(0.0, self._clock() - worker.since)
        elif leaving:
            row["state"] = "leaving"
        return row

    def _stuck_with(self, crew: Crew, worker: Worker) -> Delivery | None:
        delivery = worker.delivery
        late = delivery is not None and delivery.left and self._clock() - worker.since > crew.policy.timeout
        return delivery if late else None

    def _report(self, crew: Crew, worker: Worker, thread: threading.Thread, delivery: Delivery) -> None:
        message = delivery.current
        crew.log.error(
            "consumer %s has been busy with message %r of %s for %.1f s in thread %s:\n%s",
            crew.source.name,
            message.id,
            message.topic,
            self._clock() - worker.since,
            thread.name,
            stack_of(thread),
            extra={
                "action": "stuck",
                "topic": message.topic,
                "message_id": message.id,
                "attempt": delivery.attempts + 1,
            },
        )
