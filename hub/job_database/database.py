"""The part ``[jobs.NAME]``: a database of jobs, with the threads that work in it for the hub's consumers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from hub.errors import Unavailable
from hub.extra import Extra
from hub.failure import told
from hub.job_access import JobContext
from hub.job_database.cron import Cron
from hub.job_database.dispatcher import Dispatcher
from hub.job_database.interfaces import Source
from hub.job_database.settings import DatabaseSettings
from hub.jobs import BadDatabase, JobCounts, Jobs
from hub.jobs.job import NewJob
from hub.partlog import part_log
from hub.postgres import extras

BEATS = 3
"""Heartbeats per lease."""
PAUSE = 1.0
"""Seconds between two rounds of upkeep, at most."""
LOOK_EVERY = 1.0
"""Seconds between two looks at the numbers of the queues."""
LOOK_SHARE = 20
"""A look rests for so many times as long as the quicker one of the last two took: on PostgreSQL that grows with the
number of jobs."""
STEP = 0.02
"""Seconds between two looks whether something is still in hand, at the end."""
ENDING = 1.0
"""Seconds that all threads have to end, at the least; one that is in a statement then meets a closed ``Jobs``."""
FAULTS = (Unavailable, BadDatabase)
CRON = Extra("a cron entry", "jobs", ("cronsim",))


class JobDatabase:
    """Database of jobs that consumers work, in PostgreSQL or a file of SQLite. See :class:`hub.job_access.JobKeeper`.

    Its threads: the dispatcher's claims and settles; the heartbeat's renews the lease; the upkeep's may wait for locks;
    the look's reads the numbers of the queues, which may take long. Each one tries again when the database is away.
    """

    Config = DatabaseSettings
    jobs: Jobs

    @classmethod
    def needed_extras(cls, config: DatabaseSettings) -> Iterable[Extra]:
        """The driver, and what reads cron lines."""
        found = extras("a job queue in PostgreSQL").get(config.driver)
        return [*([] if found is None else [found]), *([CRON] if config.cron else [])]

    def __init__(self, context: JobContext) -> None:
        config: DatabaseSettings = context.config
        self.name = context.name
        self._clock = context.monotonic
        self._log = part_log("jobs", context.name)
        self._url = config.url(context.state_dir)
        self._max_body = config.max_body
        self.jobs = Jobs(
            self._url,
            lease=config.lease,
            timeout=config.timeout,
            max_body=config.max_body,
            keep_finished=config.keep_finished,
            keep_dead=config.keep_dead,
            keep_errors=config.keep_errors,
            clock=context.monotonic,
            trace=context.trace,
        )
        self.dispatcher = Dispatcher(context.name, self.jobs, self._clock, self._log, partial(self._tell, "jobs"))
        file = context.state_dir / f"cron-{context.name}.json"
        given = (config.cron, self.jobs, file, context.wall, config.keep_finished, self._log)
        self._cron = Cron(*given)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._counts: dict[str, JobCounts] = {}
        self._counted_at: float | None = None
        self._state = "connecting"
        self._errors: dict[str, str] = {}
        """By thread, why it gets no answer; one may be refused what another is given."""
        self._last_error = ""
        self._beaten = float("-inf")
        self._cancelled: frozenset[int] = frozenset()

    # -- as a part

    def start(self) -> None:
        """Start the threads."""
        targets: dict[str, Callable[[], None]] = {
            "jobs": self.dispatcher.run,
            "beat": partial(self._repeat, "beat", partial(self.beat, self._pause)),
            "upkeep": partial(self._repeat, "upkeep", self.keep),
            "look": self._look_on,
        }
        for word, target in targets.items():
            thread = threading.Thread(target=target, name=f"hubbub-{self.name}-{word}", daemon=True)
            self._threads.append(thread)
            thread.start()

    @property
    def max_body(self) -> int:
        """Bytes that the body of a job may have."""
        return self._max_body

    def insert(self, jobs: Sequence[NewJob]) -> None:
        """See :class:`hub.job_access.JobKeeper`."""
        if self._ended.is_set():
            raise Unavailable(f"the database of jobs {self.name} is being stopped")
        self.jobs.insert_jobs(jobs)
        self.dispatcher.look_again()

    def attach(self, source: Source) -> None:
        """Claim jobs for a source from now on."""
        self.dispatcher.attach(source)

    def detach(self, source: Source) -> None:
        """Claim none for it any more."""
        self.dispatcher.detach(source)

    def is_cancelled(self, job: int) -> bool:
        """Tell whether a job in hand was cancelled, as of the last heartbeat."""
        return job in self._cancelled

    def drain(self, timeout: float) -> None:
        """Claim no jobs any more, and wait until none is in hand."""
        sources = self.dispatcher.sources
        self.dispatcher.close()
        self._wait(sources, timeout)

    def _wait(self, sources: Iterable[Source], timeout: float) -> None:
        """Wait until everything is written. :param sources: those whose workers may have something in hand."""
        sources, deadline = list(sources), self._clock() + timeout
        waiting = threading.Event()
        while self._clock() < deadline:
            if not any(source.in_hand_of(self.dispatcher) for source in sources) and self.dispatcher.idle:
                return
            self.dispatcher.wake()
            waiting.wait(STEP)

    def stop(self, timeout: float) -> None:
        """End; what is in hand then is given back."""
        deadline = self._clock() + timeout
        self.dispatcher.close()
        self._wait((), timeout)
        self.dispatcher.end()
        self._ended.set()
        deadline = max(deadline, self._clock() + ENDING)
        for thread in self._threads:
            thread.join(max(0.0, deadline - self._clock()))
        self.jobs.close(for_good=True)
        with self._lock:
            self._state = "stopped"

    def status(self) -> Mapping[str, Any]:
        """State, counts, and the numbers of the queues at the last look."""
        counted_at = self._counted_at
        with self._lock:
            state, last = self._state, self._last_error
            error = "; ".join(dict.fromkeys(self._errors.values()))
        row: dict[str, Any] = {
            "state": state,
            "database": self._url.render_as_string(hide_password=True),
            "claimed": self.dispatcher.claimed,
            "refused": self.dispatcher.fenced,
            "queues": {
                queue: {
                    "waiting": counts.waiting,
                    "delayed": counts.delayed,
                    "running": counts.running,
                    "dead": counts.dead,
                    "oldest_age": counts.oldest if counts.waiting else None,
                    "paused": counts.paused,
                }
                for queue, counts in self._counts.items()
            },
            "counted_age": None if counted_at is None else self._clock() - counted_at,
            "cron": self._cron.status(),
            "last_error": last or None,
        }
        if error or state == "connecting":
            row["not_ready"] = error or "it has not answered yet"
        return row

    # -- its threads

    def _tell(self, thread: str, error: Exception | None) -> None:
        """Note that a thread finds the database away, or that it is answered. It is connected when all are."""
        with self._lock:
            before = self._state
            if before == "stopped":
                return
            new = error is not None and told(error) not in self._errors.values()
            if error is None:
                self._errors.pop(thread, None)
            else:
                self._last_error = self._errors[thread] = told(error)
            if not self._errors:
                self._state = "connected"
            elif before != "connecting":
                self._state = "away"
            answers = self._state == "connected" != before
        if answers:
            self._log.info("the database answers", extra={"action": "connect"})
        elif error is not None and new and not isinstance(error, FAULTS):
            self._log.error("unexpected error; it is tried again", exc_info=error, extra={"action": "bug"})
        elif error is not None and new:
            log = self._log.error if isinstance(error, BadDatabase) else self._log.warning
            log("%s; it is tried again", error, extra={"action": "connect"})

    @property
    def _pause(self) -> float:
        return min(PAUSE, self.jobs.lease / BEATS)

    def _repeat(self, thread: str, do: Callable[[], None]) -> None:
        while not self._ended.is_set():
            try:
                do()
            except Exception as error:  # noqa: BLE001 - the thread must not end
                self._tell(thread, error)
            self._ended.wait(self._pause)

    def beat(self, pause: float) -> None:
        """Renew the lease if that is due within ``pause`` seconds. Nothing that may wait for others is done here."""
        began = self._clock()
        if began - self._beaten >= self.jobs.lease / BEATS - pause:
            self._cancelled = frozenset(job.id for job in self.jobs.heartbeat())
            self._beaten = began
            self.dispatcher.beaten(began)
        self.jobs.listen(self.dispatcher.look_again)
        self._tell("beat", None)

    def keep(self) -> None:
        """Do the upkeep, and insert what is due by the cron entries."""
        self.jobs.maintain()
        self._cron.round()
        self._tell("upkeep", None)

    def _look_on(self) -> None:
        took = before = 0.0
        while not self._ended.is_set():
            began = self._clock()
            try:
                self.look()
            except FAULTS:  # the heartbeat tells
                self._log.debug("the queues could not be counted", exc_info=True, extra={"action": "read"})
            except Exception:  # noqa: BLE001 - the thread must not end
                self._log.exception("the queues could not be counted", extra={"action": "bug"})
            before, took = took, self._clock() - began
            self._ended.wait(max(LOOK_EVERY, LOOK_SHARE * min(before, took)))

    def look(self) -> None:
        """Read the numbers of the queues."""
        before = {source: source.progress() for source in self.dispatcher.sources}
        began = self._clock()
        self._counts = self.jobs.counts()
        self._counted_at = began
        for source, progress in before.items():
            source.counted(self._counts.get(source.queue, JobCounts()), progress)
