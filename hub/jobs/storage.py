"""What the job queue asks of a database. PostgreSQL and SQLite each have their own layout behind it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.jobs.heartbeats import Heartbeat
from hub.jobs.job import (
    ClaimLimits,
    Coalescing,
    Handle,
    Job,
    JobCounts,
    JobError,
    JobState,
    JobStatus,
    NewJob,
    NoteKind,
    Settlement,
)


@dataclass(frozen=True, slots=True)
class KeepTimes:
    """How long things of the past are kept, in seconds."""

    finished: float = 86400.0
    dead: float = 180 * 86400.0
    errors: float = 7 * 86400.0


Heard = Callable[[str | None], None]
"""Takes the name of a queue that may have jobs; ``None``: any may."""


class Listening(Protocol):
    """What tells a program of jobs, in a thread of its own."""

    def close(self) -> None:
        """End it."""


class Deaf:
    """In the place of :class:`Listening` where nothing is to be heard."""

    def close(self) -> None:
        """Nothing is to be ended."""


class Storage(Protocol):
    """Methods that a layout must have. Each is a transaction of its own unless it says otherwise. Thread-safe.

    All raise :class:`hub.errors.Unavailable` if the database is away or busy, and
    :class:`hub.jobs.errors.BadDatabase` if it can't be used.
    """

    def open(self, migrate: bool = True) -> None:
        """Make or migrate the schema. Called before all others, by any number of processes at once.

        :param migrate: false: change nothing. :raises BadDatabase: there is none, or an older or newer one.
        """

    def close(self) -> None:
        """Close all connections; the last call."""

    def insert(self, jobs: Sequence[NewJob], connection: object | None) -> list[Handle]:
        """Insert jobs. :param connection: the caller's, in a transaction; ``None``: in one of its own."""

    def start(self, process: int, name: str, lease: float) -> None:
        """Register a process. :param name: for people. :param lease: in seconds; the others judge it by this."""

    def beat(self, process: int, jobs: Collection[int]) -> list[int] | None:
        """Renew the lease of a process. :param jobs: numbers of those that it has in hand.

        :returns: those of them that were cancelled; ``None``: it was given up.
        """

    def stop(self, process: int) -> int:
        """End a process, and let others have what it has left at once; that counts no attempt. :returns: how many."""

    def claim(
        self, process: int, limit: int, queues: Sequence[str] | None, coalescing: Coalescing | None = None
    ) -> list[Job]:
        """Claim jobs. :param queues: in this order; ``None``: all, in turn. :returns: nothing if none waits."""

    def listen(self, heard: Heard) -> Listening:
        """Begin to tell of jobs that others insert: soon, of some more than there are, and of some not at all."""

    def sleep(self, process: int, seconds: float) -> None:
        """Note that a process sleeps, or may soon: for so long ``notify`` tells it of jobs."""

    def notify(self, queues: Sequence[str]) -> None:
        """Tell those who sleep of jobs of these queues, which have been committed; an empty name stands for all. It
        raises nothing."""

    def settle(
        self, process: int, settlements: Sequence[Settlement], new: Sequence[NewJob] = ()
    ) -> list[Handle] | None:
        """End claims, and insert jobs, all or none. What is settled already is left; if all is, nothing is inserted.

        :returns: a handle for each new job; ``None``: the process was given up.
        :raises LostClaims: a crash of the database has undone some of the claims; nothing was written.
        """

    def note(self, job: Job, kind: NoteKind, name: str, text: str) -> bool:
        """Record something of a job that its process has.

        :returns: false: the process was given up. :raises LostClaims: as for ``settle``.
        """

    def notes(self, job: int) -> dict[tuple[NoteKind, str], str]:
        """What is recorded of a job, by kind and name."""

    def give_back_others(self, process: int, claims: Collection[int]) -> int:
        """Let others have what a process has by other claims than these, at once; that counts no attempt.

        :returns: how many jobs.
        """

    def heartbeats(self, lease: float) -> dict[int, Heartbeat]:
        """Look at all processes, and note those that are silent, each by its own lease.

        :param lease: seconds; that of processes of an older version, which do not tell theirs.
        """

    def rescue(self, dead: Mapping[int, float]) -> int:
        """Give up processes, and let others have their jobs; see :mod:`hub.jobs.company` for what that counts.

        :param dead: time of the last heartbeat of each; one that has renewed its lease since is left.
        :returns: how many jobs.
        """

    def move_due(self, limit: int) -> int:
        """Make delayed jobs that are due wait. :returns: how many."""

    def upkeep(self) -> None:
        """What the layout needs now and then; short."""

    def prune(self, keep: KeepTimes, limit: int) -> int:
        """Delete what is older. :param limit: rows of a kind. :returns: how many rows or tables went."""

    def counts(self) -> dict[str, JobCounts]:
        """Numbers of all queues that have any job, or are paused."""

    def queue_names(self) -> list[str]:
        """Names of the queues that have had a job, or are paused."""

    def find(self, job: int) -> JobStatus | None:
        """Look a job up; ``None``: there is none, or its exit status is pruned."""

    def read(self, job: int) -> Job | None:
        """Read a job that has not ended, or is dead."""

    def errors(self, job: int) -> list[JobError]:
        """Its failed attempts, the oldest first."""

    def recent_errors(self, queue: str | None, since: float, limit: int) -> list[JobError]:
        """The newest failed attempts, the oldest first. :param since: epoch seconds."""

    def peek(self, queue: str, state: JobState, limit: int, tags: Sequence[str]) -> list[Job]:
        """First jobs that are waiting, delayed or dead, and have all of the tags."""

    def cancel(self, job: int) -> JobState | None:
        """Cancel a job. :returns: the state in which it was; ``None``: it has ended, or there is none."""

    def kick(self, queue: str, limit: int) -> int:
        """Make delayed jobs due. :returns: how many."""

    def retry_dead(self, queue: str, limit: int, jobs: Sequence[int] | None, error: str) -> int:
        """Make dead letters wait again. :param jobs: these alone. :param error: part of the reason.

        :returns: how many.
        """

    def purge(self, queue: str, state: JobState, limit: int) -> int:
        """Cancel jobs that are waiting, delayed or dead. :returns: how many; fewer than the limit: no more can be."""

    def set_limits(self, queue: str, limits: ClaimLimits) -> None:
        """Limit what is claimed of a queue."""

    def limits(self) -> dict[str, ClaimLimits]:
        """Limits of the queues that have any but the usual ones."""

    def pause(self, queue: str, reason: str) -> None:
        """Let nobody claim jobs of the queue."""

    def resume(self, queue: str) -> None:
        """End that."""
