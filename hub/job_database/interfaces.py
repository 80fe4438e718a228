"""Protocols between the dispatcher of a database and those for whom it claims. This module holds no behaviour."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Protocol

from hub.job_database.numbers import SettledSoFar
from hub.job_database.result import Result

if TYPE_CHECKING:  # the package brings SQLAlchemy, which a hub without jobs need not load
    from hub.jobs import Jobs
    from hub.jobs.job import Job, JobCounts


class Dispatching(Protocol):
    """Database of a source, as the source sees it. Thread-safe; no call waits.

    :ivar name: name of the part. :ivar jobs: the database, for whoever may wait for it.
    """

    name: str
    jobs: Jobs

    @property
    def alive(self) -> bool:
        """False: its lease may have passed, so that others have its jobs."""

    def wake(self) -> None:
        """Have it look soon whether a source wants jobs."""

    def settle(self, source: Source, results: Sequence[Result]) -> None:
        """Have results written."""


class Source(Protocol):
    """Somebody for whom jobs of one queue are claimed. Thread-safe; no call waits.

    :ivar name: for the log. :ivar database: name of the part that has the queue; ``None``: the only one.
    """

    name: str
    queue: str
    database: str | None

    @property
    def starved(self) -> bool:
        """True if somebody waits for a job in vain: results are written at once."""

    @property
    def wants(self) -> int:
        """Number of jobs that it wants claimed now."""

    def attach(self, dispatcher: Dispatching | None) -> None:
        """Take jobs from this database from now on; ``None``: from none. What nobody has goes back."""

    def arrive(self, jobs: Sequence[Job], dispatcher: Dispatching) -> None:
        """Take jobs in that this database has claimed. It was left meanwhile: they go back."""

    def in_hand_of(self, dispatcher: Dispatching) -> int:
        """Number of jobs from a database that somebody has in hand."""

    def buffered(self) -> list[Job]:
        """Jobs that nobody has."""

    def forget(self, jobs: Collection[Job]) -> int:
        """Leave out jobs that are somebody else's by now, as far as nobody has them. :returns: how many."""

    def settled(self, results: Sequence[Result]) -> None:
        """Count results that the database has."""

    def refused(self, count: int, lost: int) -> None:
        """Count results that the database refused. :param lost: those of them that were of work."""

    def progress(self) -> SettledSoFar:
        """Progress until now."""

    def counted(self, counts: JobCounts, before: SettledSoFar) -> None:
        """Take a look at the queue in. :param before: progress before the look."""
