"""The process of a program at the database: one start of it, with its lease, what it has in hand, and the upkeep."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from hub.errors import Unavailable
from hub.interfaces import Clock
from hub.jobs.errors import BadDatabase
from hub.jobs.heartbeats import Heartbeats
from hub.jobs.in_hand import ClaimedJobs
from hub.jobs.job import Job
from hub.jobs.storage import Heard, KeepTimes, Storage
from hub.jobs.unanswered import UnansweredClaims
from hub.jobs.waiting import Waits
from hub.text import printable

BEATS = 3
"""Heartbeats per lease."""
PAUSE = 1.0
"""Seconds between two rounds of ``keep_alive()``, at most."""
PRUNE_EVERY = 60.0
"""Seconds."""
UPKEEP_EVERY = 5.0
"""Seconds."""
BATCH = 5000
"""Jobs that come due, and rows that are pruned, in one transaction at most."""
ROUNDS = 20
"""Such transactions in one call of ``maintain()`` at most."""
Wait = Callable[[threading.Event, float], object]
log = logging.getLogger("hub.jobs")


class JobProcess:
    """One start of one process. Thread-safe. The database knows it from its first claim on, until it is given up.

    :ivar fenced: completions that were refused; only grows. :ivar lease: seconds.
    """

    def __init__(
        self,
        storage: Storage,
        lease: float,
        keep: KeepTimes,
        name: str | None,
        clock: Clock,
        migrate: bool = True,
        longest_poll: float = 1.0,
    ) -> None:
        self.fenced = 0
        self.lease = lease
        self._storage = storage
        self._keep = keep
        self._given_name = name
        self._name = name or _process_name()
        self._clock = clock
        self._migrate = migrate
        self._waits = Waits(storage, min(longest_poll, lease / BEATS), clock)
        self._lock = threading.Lock()
        self._opening, self._starting = threading.Lock(), threading.Lock()
        self._opened = self._closed = False
        self._pid = os.getpid()
        self._process: int | None = None
        self._beaten = 0.0
        self._done: dict[str, float] = {}
        self._in_hand = ClaimedJobs()
        self._unanswered = UnansweredClaims(storage, self._in_hand)
        self._heartbeats = Heartbeats()
        self._cancelled: frozenset[int] = frozenset()

    @property
    def in_hand(self) -> list[Job]:
        """Jobs that this process has claimed and not ended."""
        return self._in_hand.all()

    def heartbeat(self) -> list[Job]:
        """Renew the lease. :returns: jobs in hand that were cancelled. :raises Unavailable: as for ``claim``."""
        self._ready()
        process = self._process
        if process is None:
            return []
        began = self._clock()
        cancelled = self._storage.beat(process, [job.id for job in self.in_hand])
        if cancelled is None:
            self._forget(process)
            return []
        with self._lock:
            away = began - self._beaten >= self.lease
            if away:  # so was the database, perhaps: the others look dead, too, until they beat
                self._done["rescue"] = began + self.lease * (1 - 1 / BEATS)
                self._heartbeats.forget()
            self._beaten = began
            self._cancelled = frozenset(cancelled)
        if away:
            self._dead()  # from now on each has its own lease, which may be longer
        return [job for job in self.in_hand if job.id in self._cancelled]

    def is_cancelled(self, job: Job) -> bool:
        """True if the last heartbeat found that the job was cancelled."""
        return job.id in self._cancelled

    def maintain(self) -> None:
        """Do what is due: move delayed jobs, rescue those of dead processes, tend the tables, prune.

        It is cheap to call often. :raises Unavailable: as for ``claim``.
        """
        self._ready()
        if self._unanswered.give_back(self._process):
            self._waits.announce([""])
        for _ in range(ROUNDS):
            moved = self._storage.move_due(BATCH)
            if moved:
                self._waits.announce([""])
            if moved < BATCH:
                break
        if self._is_due("rescue", self.lease / BEATS):
            rescued = self._storage.rescue(self._dead())
            if rescued:
                log.warning("%d jobs of dead processes are waiting again", rescued, extra={"action": "rescue"})
                self._waits.announce([""])
        if self._is_due("upkeep", UPKEEP_EVERY):
            self._storage.upkeep()
        if self._is_due("prune", PRUNE_EVERY):
            self.prune()

    def _dead(self) -> dict[int, float]:
        """Look at the heartbeats of all. :returns: processes that are dead, with the time of their last one."""
        began = self._clock()
        found = self._storage.heartbeats(self.lease)
        with self._lock:
            return self._heartbeats.dead(found, began, self._clock())

    def prune(self) -> None:
        """Delete what is older than it is kept. :raises Unavailable: as for ``claim``."""
        self._ready()
        for _ in range(ROUNDS):
            if self._storage.prune(self._keep, BATCH) < BATCH:
                break

    @contextmanager
    def keep_alive(self, wait: Wait | None = None) -> Iterator[None]:
        """Renew the lease and do the upkeep, in a thread each, as long as the block lasts: upkeep that waits for
        somebody's lock keeps no heartbeat waiting. A database that is away is tried again and again.

        :param wait: waits for the event, at most so many seconds. :raises BadDatabase: it can't be used.
        """
        with suppress(Unavailable):
            self._ready()
        ended = threading.Event()
        pause = min(PAUSE, self.lease / BEATS)
        rounds = {"heartbeat": partial(self._beat, pause), "upkeep": self.maintain}
        threads = [
            threading.Thread(
                target=self._repeat,
                args=(what, do, ended, pause, wait or threading.Event.wait),
                name=f"jobs-{what}",
                daemon=True,
            )
            for what, do in rounds.items()
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def _beat(self, pause: float) -> None:
        if self._clock() - self._beaten >= self.lease / BEATS - pause:
            self.heartbeat()

    @staticmethod
    def _repeat(what: str, do: Callable[[], object], ended: threading.Event, pause: float, wait: Wait) -> None:
        told = ""
        while not ended.is_set():
            try:
                do()
                told = ""
            except (Unavailable, BadDatabase) as error:
                if str(error) != told:  # not each second, for as long as it is away
                    level = logging.WARNING if isinstance(error, Unavailable) else logging.ERROR
                    log.log(level, "no %s: %s; it is tried again", what, error, extra={"action": "heartbeat"})
                told = str(error)
            except Exception:  # without the thread the lease would pass
                log.exception("unexpected error; trying on", extra={"action": "heartbeat"})
            wait(ended, pause)

    def listen(self, heard: Heard) -> None:
        """Have a function called whenever a queue may have jobs, in the place of claims that wait.

        Call it again every second or so, as ``heartbeat``: others tell of their jobs only for a while.

        :param heard: takes the name of the queue, or ``None`` where any may have some. It is called in any thread, now
            and then in vain, and must not wait. :raises Unavailable: as for ``claim``.
        """
        self._ready()
        self._waits.listen(heard, self._ensure_process())

    def stop_waiting(self) -> None:
        """End the waits of all threads at once: their claims return. Later claims of this ``Jobs`` do not wait."""
        self._waits.stop()

    def close(self, for_good: bool = False) -> None:
        """Give back what is in hand, end the process, close all connections. A database that is away is not waited for:
        others have the jobs when the lease has passed.

        :param for_good: refuse all later calls, also of threads that are in one now; else the next use opens it anew.
        """
        self._closed = self._closed or for_good
        process = self._process
        if self._pid == os.getpid():
            self._waits.close()
        if process is not None and self._pid == os.getpid():
            with suppress(Unavailable, BadDatabase):
                if self._storage.stop(process):
                    self._storage.notify([""])
            self._forget(process)
        self._storage.close()
        self._opened = False  # without the lock: whoever migrates the tables may have it for minutes

    def _ready(self) -> None:
        if self._pid != os.getpid():
            self._adopt()
        self._check_closed()
        if self._opened:
            return
        with self._opening:
            if not self._opened:
                self._storage.open(self._migrate)
                self._check_closed()
                self._waits.open()
                self._opened = True

    def _adopt(self) -> None:
        """Be this process's, if the parent had not used it, or had closed it: then there is nothing that they share.

        :raises BadDatabase: the parent uses it.
        """
        if self._opened or self._process is not None:
            raise BadDatabase("this Jobs was used before a fork, and is the parent's: make one in the child")
        self._name = self._given_name or _process_name()
        self._pid = os.getpid()

    def _check_closed(self) -> None:
        """:raises BadDatabase: it was closed for good, perhaps while this thread was in a call."""
        if self._closed:
            self._waits.close()
            self._storage.close()
            raise BadDatabase("this Jobs was closed")

    def _ensure_process(self) -> int:
        with self._starting:
            process = self._process
            if process is None:
                process, began = secrets.randbits(63), self._clock()
                self._check_closed()
                self._storage.start(process, printable(self._name), self.lease)
                self._process, self._beaten = process, began
                if self._closed:
                    self._storage.stop(process)
                    self._process = None
            self._check_closed()
            return process

    def _forget(self, process: int) -> None:
        """Let a process go that was given up. The next claim is another's."""
        with self._lock:
            if self._process == process:
                self._process = None
        self._in_hand.forget(process)

    def _is_due(self, what: str, every: float) -> bool:
        with self._lock:
            now = self._clock()
            if what in self._done and now - self._done[what] < every:
                return False
            self._done[what] = now
            return True


def _process_name() -> str:
    """Name of this process, for people."""
    return f"{socket.gethostname()}:{os.getpid()}"
