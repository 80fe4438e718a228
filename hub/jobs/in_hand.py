"""Jobs that a process has claimed and not ended, and how many each of its claims has left. Thread-safe."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from hub.jobs.job import Job, Settlement


class ClaimedJobs:
    """Jobs in hand."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[tuple[int, int], Job] = {}
        self._left: dict[int, int] = defaultdict(int)

    def all(self) -> list[Job]:
        """All of them."""
        with self._lock:
            return list(self._jobs.values())

    def has(self, job: Job) -> bool:
        """True if it is one of them, by this claim."""
        with self._lock:
            return (job.claim, job.id) in self._jobs

    def claims(self) -> set[int]:
        """Numbers of the claims that have a job whose end is not committed."""
        with self._lock:
            return set(self._left)

    def add(self, jobs: Iterable[Job]) -> None:
        """Note jobs that were claimed."""
        with self._lock:
            for job in jobs:
                self._jobs[job.claim, job.id] = job
                self._left[job.claim] += 1

    def take(self, settlements: Iterable[Settlement]) -> tuple[list[Settlement], list[Job]]:
        """Take jobs out that are to be ended. The one that leaves nothing of its claim closes the claim.

        :returns: those that were in hand, and jobs that were not.
        """
        taken: list[Settlement] = []
        refused: list[Job] = []
        with self._lock:
            counts: dict[int, int] = defaultdict(int)
            for one in settlements:
                if self._jobs.pop((one.job.claim, one.job.id), None) is None:
                    refused.append(one.job)
                    continue
                counts[one.job.claim] += 1
                # Only what is committed has left the count: a claim is never closed for a completion that may fail.
                closes = counts[one.job.claim] == self._left[one.job.claim]
                taken.append(replace(one, closes=closes))
        return taken, refused

    def put_back(self, jobs: Iterable[Job]) -> None:
        """Have jobs in hand again, whose end was not committed."""
        with self._lock:
            self._jobs |= {(job.claim, job.id): job for job in jobs}

    def settled(self, settlements: Sequence[Settlement]) -> None:
        """Note that these ends are committed."""
        with self._lock:
            for one in settlements:
                self._left[one.job.claim] -= 1
                if self._left[one.job.claim] <= 0:
                    del self._left[one.job.claim]

    def forget(self, process: int) -> None:
        """Let jobs go that were claimed for a process that was given up."""
        with self._lock:
            for place in [place for place, job in self._jobs.items() if job.process == process]:
                self._left.pop(self._jobs.pop(place).claim, None)
