"""A program that works jobs and notes what it does, to be killed: ``job_worker.py DSN NOTES BATCH LEASE``.

A line is one write, before the deed where it says ``begun`` or ``failing``, and after it where it says ``accepted`` or
``refused``.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable

from hub.errors import Unavailable
from hub.jobs import Fenced, Job, Jobs

FAILING = 0.1
"""Share of the attempts that fail."""
TAKES = 0.01
"""Seconds of a job: a kill mostly meets some in hand."""
QUEUE = "q"


class Worker:
    """Works jobs until it is told to stop, or is killed."""

    def __init__(self, jobs: Jobs, notes: int, batch: int, chance: random.Random) -> None:
        self._jobs = jobs
        self._notes = notes
        self._batch = batch
        self._chance = chance
        self.stopped = threading.Event()

    def run(self) -> None:
        """Work."""
        while not self.stopped.is_set():
            try:
                claimed = self._jobs.claim(self._batch, [QUEUE], wait=0.2)
            except Unavailable:
                continue
            if claimed:
                self._work(claimed)

    def _work(self, claimed: list[Job]) -> None:
        done: list[Job] = []
        for job in claimed:
            self._note("begun", [job])
            time.sleep(TAKES)
            if self._chance.random() < FAILING:
                self._note("failing", [job])
                self._end(lambda job=job: self._jobs.retry(job, "failed", self._chance.choice((0.0, 0.05))), [])  # type: ignore[misc]
            else:
                done.append(job)
        self._end(lambda: self._jobs.complete(done), done)

    def _end(self, end: Callable[[], None], accepted: Iterable[Job]) -> None:
        while True:
            try:
                end()
            except Fenced as error:
                refused = {job.id for job in error.jobs}
                self._note("refused", error.jobs)
                accepted = [job for job in accepted if job.id not in refused]
            except Unavailable:
                continue
            self._note("accepted", accepted)
            return

    def _note(self, what: str, jobs: Iterable[Job]) -> None:
        if lines := "".join(f"{what} {job.id} {job.attempt}\n" for job in jobs):
            os.write(self._notes, lines.encode())


def main() -> None:
    """Run the program."""
    dsn, notes, batch, lease = sys.argv[1:]
    file = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with Jobs(dsn, lease=float(lease)) as jobs, jobs.keep_alive():
        worker = Worker(jobs, file, int(batch), random.Random(os.getpid()))
        signal.signal(signal.SIGTERM, lambda *_: worker.stopped.set())
        print("ready", flush=True)
        worker.run()


if __name__ == "__main__":
    main()
