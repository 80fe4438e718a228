"""Errors of the job queue."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from hub.errors import HubError

if TYPE_CHECKING:
    from hub.jobs.job import Job


LOST = "the database has lost their claim in a crash: they wait again, or others have them"


class BadJob(HubError, ValueError):
    """A job can't be inserted; the text names it and says why. Nothing of its batch was inserted."""


class BadDatabase(HubError):
    """The database can't be used for jobs: its kind, its file system, the schema's version, a right that is missing."""


class LostClaims(HubError):
    """A crash of the database has undone claims of a process that lives; nothing was written.

    :ivar claims: their numbers.
    """

    def __init__(self, claims: Collection[int]) -> None:
        super().__init__(LOST)
        self.claims = frozenset(claims)


class Fenced(HubError):
    """The completion of jobs was refused: their process was given up, or they were settled before.

    :ivar jobs: those that were refused. All others of the call were accepted. :ivar reason: why.
    """

    def __init__(self, jobs: Sequence[Job], reason: str) -> None:
        numbers = ", ".join(str(job.id) for job in jobs[:10]) + (", ..." if len(jobs) > 10 else "")
        super().__init__(f"refused: {numbers}: {reason}")
        self.jobs = list(jobs)
        self.reason = reason
