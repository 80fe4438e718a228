"""Looks after the crews from the reactor: dead threads are replaced, stuck consumers reported, the watchdog fed.

A thread can't be killed from outside, so a consumer that hangs is reported, by name, message and stack, and what it has
in hand and has not begun is given to others.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from hub.interfaces import Clock
from hub.queue.taken import Taken
from hub.workers.crew import Crew
from hub.workers.worker import Worker

PERIOD = 0.5
"""Seconds between two rounds: a dead thread is replaced, a stuck one reported, within a second of its time."""
LATE = 1.0
"""Seconds. Who takes longer for a message than this can't know when the next is its turn: what it took with it goes to
other threads. A worker takes no more at once than it needs some milliseconds for."""
HELD_UP = 5.0
"""Seconds. A reload waits no longer for the message in hand: the new threads begin beside the one that has it."""
HUNG = 10
"""So many times as long as nearly all others: nobody can say when that message will be finished."""


def stack_of(thread: threading.Thread) -> str:
    """What that thread is doing now, as text; empty when it is gone."""
    frame = sys._current_frames().get(thread.ident or -1)
    return "".join(traceback.format_stack(frame)) if frame is not None else ""


class Supervisor:
    """Goes its rounds when told to; the service calls :meth:`round` every :data:`PERIOD`.

    :param crews: gives the crews as they are now.
    :param feed_watchdog: called at the end of a round that went well, and only then.
    """

    def __init__(
        self, crews: Callable[[], Iterable[Crew]], clock: Clock, feed_watchdog: Callable[[], None] = lambda: None
    ) -> None:
        self._crews = crews
        self._clock = clock
        self._feed_watchdog = feed_watchdog
        self._reported: dict[Worker, tuple[Taken, int]] = {}

    def round(self) -> None:
        """One look at every thread."""
        stuck: dict[Worker, tuple[Taken, int]] = {}
        for crew in self._crews():
            crew.replace_dead()
            for worker, thread in crew.workers:
                if worker.taken is not None and self._clock() - worker.since > LATE:
                    worker.give_back_rest()
                if (taken := self._stuck_with(crew, worker)) is None:
                    continue
                stuck[worker] = (taken, taken.at)
                if self._reported.get(worker) != stuck[worker]:
                    self._report(crew, worker, thread, taken)
        self._reported = stuck
        self._feed_watchdog()

    def hung_for(self, crew: Crew, usual: float) -> float:
        """Seconds for which a message that takes far longer than usual has been in hand; the longest, 0: there is none.

        :param usual: seconds that nearly all messages take.
        """
        longest = max((self._clock() - one.since for one, _ in crew.workers if one.taken is not None), default=0.0)
        return longest if longest > max(LATE, HUNG * usual) else 0.0

    def is_held_up(self, crew: Crew, stopped: float) -> bool:
        """Whether a crew that was told to stop has still not gone, and nobody can say when it will.

        :param stopped: monotonic seconds at which it was told so.
        """
        living = [worker for worker, thread in crew.workers if thread.is_alive()]
        begun = max((one.since if one.taken is not None else stopped for one in living), default=stopped)
        return not crew.gone.is_set() and self._clock() - begun > HELD_UP

    def is_stuck(self, crew: Crew) -> bool:
        """Whether one of its threads was over its time at the last round."""
        return any(worker in self._reported for worker, _ in crew.workers)

    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock()

    def threads(self, crew: Crew) -> list[dict[str, Any]]:
        """What each of its threads has in hand, and for how many seconds; in the order of ``crew.workers``. ``dead`` is
        one that died; one that was told to end is ``leaving`` until it has, and then is none of them."""
        crew.forget_ended()
        return [self._row(crew, worker, thread) for worker, thread in crew.workers]

    def _row(self, crew: Crew, worker: Worker, thread: threading.Thread) -> dict[str, Any]:
        taken = worker.taken
        row: dict[str, Any] = {"name": thread.name, "state": "idle", "topic": None, "message_id": None, "seconds": None}
        leaving = crew.is_leaving(worker)
        if not thread.is_alive():
            row["state"] = "leaving" if leaving and taken is None else "dead"
        elif taken is not None and taken.left:
            message = taken.current
            row["state"] = "stuck" if worker in self._reported else "leaving" if leaving else "busy"
            row["topic"], row["message_id"] = message.topic, message.id
            row["seconds"] = max(0.0, self._clock() - worker.since)
        elif leaving:
            row["state"] = "leaving"
        return row

    def _stuck_with(self, crew: Crew, worker: Worker) -> Taken | None:
        taken = worker.taken
        late = taken is not None and taken.left and self._clock() - worker.since > crew.policy.timeout
        return taken if late else None

    def _report(self, crew: Crew, worker: Worker, thread: threading.Thread, taken: Taken) -> None:
        message = taken.current
        crew.log.error(
            "consumer %s has been busy with message %r of %s for %.1f s in thread %s:\n%s",
            crew.queue.name,
            message.id,
            message.topic,
            self._clock() - worker.since,
            thread.name,
            stack_of(thread),
            extra={
                "action": "stuck",
                "topic": message.topic,
                "message_id": message.id,
                "attempt": taken.attempts + 1,
            },
        )
