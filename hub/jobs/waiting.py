"""Waits of claims: a thread sleeps until there may be jobs, and looks for them now and then whatever it is told."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from hub.backoff import Uniform
from hub.interfaces import Clock
from hub.jobs.job import Job
from hub.jobs.storage import Heard, Listening, Storage

FIRST_PAUSE = 0.005
"""Seconds until the first look after one that found nothing: some notifications are left out, see ``NOTIFY_EVERY``."""
GROWTH = 4
"""How much longer each further pause is."""
ASLEEP = 10.0
"""Seconds for which the database remembers that a process sleeps. It is told anew after half of that: a process that
sleeps after each job costs no write for each."""

Sleep = Callable[[threading.Event, float], object]
"""Waits for an event, at most so many seconds."""


class Waiter:
    """A thread that waits. :ivar queues: ``None``: all."""

    def __init__(self, queues: Sequence[str] | None) -> None:
        self.queues = None if queues is None else frozenset(queues)
        self.woken = threading.Event()


class Waits:
    """Threads of one process that wait for jobs. Thread-safe.

    :param longest: seconds between two looks of one thread. :param clock: monotonic.
    :ivar sleep: how they sleep.
    """

    def __init__(
        self,
        storage: Storage,
        longest: float,
        clock: Clock,
        uniform: Uniform = random.uniform,
        sleep: Sleep = threading.Event.wait,
    ) -> None:
        self._storage = storage
        self._longest = longest
        self._clock = clock
        self._uniform = uniform
        self.sleep = sleep
        self._lock = threading.Lock()
        self._waiters: list[Waiter] = []
        self._listening: Listening | None = None
        self._heard: Heard | None = None
        self._stopped = False
        self._asleep: tuple[int | None, float] = None, 0.0

    def claim(
        self,
        claim: Callable[[], list[Job]],
        process: Callable[[], int | None],
        queues: Sequence[str] | None,
        seconds: float,
    ) -> list[Job]:
        """Claim as soon as there is a job. :returns: nothing if there was none for so long, or after ``stop``."""
        end, pause = self._clock() + seconds, FIRST_PAUSE
        self._listen()
        with self._waiter(queues) as waiter:
            while True:
                waiter.woken.clear()
                jobs = claim()
                left = end - self._clock()
                if jobs or left <= 0 or self._stopped:
                    return jobs
                if self._tell_asleep(process()):
                    continue  # a job inserted before this was known woke nobody
                self.sleep(waiter.woken, min(left, self._uniform(pause / 2, pause)))
                pause = FIRST_PAUSE if waiter.woken.is_set() else min(pause * GROWTH, self._longest)

    def listen(self, heard: Heard, process: int | None) -> None:
        """Have a function called as soon as there may be jobs, too. See :meth:`hub.jobs.Jobs.listen`."""
        new, self._heard = self._heard is None, heard
        self._listen()
        if self._tell_asleep(process) or new:
            heard(None)

    def arrived(self, queue: str | None = None) -> None:
        """Wake those who wait for that queue. :param queue: ``None``: any may have a job."""
        with self._lock:
            for waiter in self._waiters:
                if queue is None or waiter.queues is None or queue in waiter.queues:
                    waiter.woken.set()
            heard = self._heard
        if heard is not None:
            heard(queue)

    def announce(self, queues: Iterable[str]) -> None:
        """Wake those who wait for these queues, also in other processes; an empty name stands for all."""
        names = set(queues)
        for queue in names:
            self.arrived(queue or None)
        if names:
            self._storage.notify(sorted(names))

    def stop(self) -> None:
        """End all waits; later ones look once."""
        self._stopped = True
        self.arrived()

    def close(self) -> None:
        """End all waits, and hear nothing more, until the next wait."""
        self.stop()
        with self._lock:
            listening, self._listening = self._listening, None
        if listening is not None:
            listening.close()

    def open(self) -> None:
        """Let threads wait, also after ``close``."""
        self._stopped = False

    def _listen(self) -> None:
        with self._lock:
            if self._listening is None and not self._stopped:
                self._listening = self._storage.listen(self.arrived)

    def _tell_asleep(self, process: int | None) -> bool:
        """Tell the database that the process sleeps. :returns: false if it knows."""
        now, (known, at) = self._clock(), self._asleep
        if process is None or (known == process and now - at < ASLEEP / 2):
            return False
        self._storage.sleep(process, ASLEEP)
        self._asleep = process, now
        return True

    @contextmanager
    def _waiter(self, queues: Sequence[str] | None) -> Iterator[Waiter]:
        waiter = Waiter(queues)
        with self._lock:
            self._waiters.append(waiter)
        try:
            yield waiter
        finally:
            with self._lock:
                self._waiters.remove(waiter)
