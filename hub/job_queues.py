"""Protocols of job queues for backends: a backend inserts jobs, and reads them, for clients of its own. This module
holds no behaviour."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from hub.declarations import Taken

Done = Callable[[str | None], None]
"""Called in the reactor's thread once jobs are in the database, with ``None``; or else with the reason why they will
never be."""


class JobReader(Protocol):
    """A reader of a job queue. Belongs to the reactor's thread. Each job that it took must be settled, alone and in any
    order. A job that is somebody else's by then, because the hub was silent for too long, stays theirs: that is counted
    by the database.

    The messages that it takes are those of :func:`hub.job_database.messages.message_of`. It tells jobs apart by their
    ``position``.
    """

    def want(self, count: int) -> None:
        """Note how many jobs there is room for now: so many are claimed, and then ``on_ready`` is called. What was
        claimed and not taken goes back to the database, as far as it is more."""

    def take(self, limit: int) -> Sequence[Taken]:
        """Take jobs that are claimed."""

    def put_back(self, taken: Sequence[Taken]) -> None:
        """Take back what nobody has seen, to be taken again first."""

    def finish(self, taken: Sequence[Taken]) -> None:
        """Settle jobs as finished."""

    def retry_delay(self, taken: Taken) -> float:
        """Seconds until a job that failed is to come again, as in other programs: see :mod:`hub.jobs.retries`."""

    def retry(self, taken: Taken, delay: float, why: str) -> None:
        """Settle a job as failed; it comes again, or was tried for the last time and becomes a dead letter."""

    def bury(self, taken: Taken, why: str) -> None:
        """Settle a job as a dead letter."""

    def give_back(self, taken: Sequence[Taken]) -> None:
        """Let others have jobs at once. No attempt is counted."""

    def close(self) -> None:
        """Read no more. What was not taken goes back. What was may be settled."""


class JobQueue(Protocol):
    """A queue of jobs in a database. Belongs to the reactor's thread.

    :ivar name: of the queue.
    """

    name: str

    @property
    def away(self) -> str:
        """The reason why nothing can be inserted now; empty: it can, as far as is known."""

    @property
    def full(self) -> bool:
        """True if so many jobs wait for the database that no more may come; see ``when_room``."""

    @property
    def max_body(self) -> int | None:
        """Bytes that a body may have; ``None``: it is not known, while the database's part does not run."""

    def check(self, options: Mapping[str, Any]) -> None:
        """Check what is said of a job. :param options: see :class:`hub.jobs.checks.JobOptions`, and ``key``.

        :raises HubError: it can't be inserted; the text says why.
        """

    def put(self, jobs: Sequence[tuple[bytes, Mapping[str, Any]]], done: Done) -> None:
        """Insert jobs: their bodies and options, which were checked. While the database is away they wait."""

    def when_room(self, call: Callable[[], None]) -> None:
        """Make a call once there is room for more, or the database is away."""

    def reader(self, on_ready: Callable[[], None]) -> JobReader:
        """Read the queue. :param on_ready: called in the reactor's thread when there may be jobs."""


class JobQueues(Protocol):
    """The job queues of one backend. Belongs to the reactor's thread."""

    def open(self, name: str, database: str | None) -> JobQueue:
        """A queue. :param database: name of the part ``[jobs.NAME]``; ``None``: the only one."""

    @property
    def waiting(self) -> int:
        """Number of jobs that are not inserted yet."""

    def close(self, timeout: float) -> Deferred[Any]:
        """Close all. Fires once nothing waits any more, or nothing can be inserted, or after so many seconds."""
