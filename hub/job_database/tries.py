"""Tries of jobs that the database does not count: those that the consumer asked for, those that killed a process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from hub.job_database.result import Result

if TYPE_CHECKING:
    from hub.jobs.job import Job

MOST = 10_000
"""Jobs whose tries are remembered; the oldest are forgotten first."""


class Tries(NamedTuple):
    """Tries of one job. :ivar new: whether nobody has begun it before.

    :ivar asked: those that the consumer asked for. :ivar kills: those that killed a process.
    """

    new: bool
    asked: int = 0
    kills: int = 0


_NEW, _TRIED = Tries(True), Tries(False)


class RememberedTries:
    """Tries by the number of the job, for as long as this hub remembers. Pure: no lock."""

    def __init__(self) -> None:
        self._tries: dict[int, Tries] = {}

    def of(self, job: Job) -> Tries:
        """The tries of a job."""
        known = self._tries.get(job.id) if self._tries else None
        return known or (_NEW if job.attempt == 1 and not job.alone else _TRIED)

    def note(self, result: Result, killed: bool) -> None:
        """Note that a job was tried, and not finished. It is then the last to be forgotten."""
        before = self._tries.pop(result.job.id, _TRIED)
        asked, kills = before.asked + (result.outcome == "ask"), before.kills + killed
        if result.outcome != "dead" and (asked or kills):
            self._tries[result.job.id] = Tries(False, asked, kills)
        if len(self._tries) > MOST:
            del self._tries[next(iter(self._tries))]

    def end(self, results: Sequence[Result]) -> None:
        """Forget jobs that are finished."""
        if self._tries:
            for one in results:
                if one.outcome == "finished":
                    self._tries.pop(one.job.id, None)
