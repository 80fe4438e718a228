"""Hubs that work jobs of one or several databases, and note what they begin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from hub.jobs import Jobs, JobState
from hub.jobs.postgresql import PostgreSQL
from tests.faults.job_worker import FAILING, QUEUE
from tests.system.hubs import RunningHub
from tests.system.job_stores import rows

THREADS = 2
TAKES = 0.01
"""Seconds of a job: a kill mostly meets some in hand."""
AHEAD = 2 * (THREADS + int(0.1 * THREADS / TAKES)) + THREADS
"""Jobs that a hub has begun at most whose end is not written: what is in its workers' hands, and what they may have
finished of two claims, each of a tenth of a second's work, while one write lasts. So many may run again."""
WORK = f"""\
import os
import random
import time
from pathlib import Path

from hub import Consumer

NOTES = os.open(Path(__file__).with_name("notes"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)


class Work(Consumer):
    queue = "{QUEUE}"

    def consume(self, message):
        os.write(NOTES, f"begun {{message.backend}} {{message.id}}\\n".encode())
        time.sleep({TAKES})
        if random.random() < {FAILING}:
            os.write(NOTES, f"failing {{message.backend}} {{message.id}}\\n".encode())
            raise RuntimeError("failed")
"""


class JobHub(RunningHub):
    """A hub that works the jobs of these databases.

    :param dsns: by their names. :param lease: seconds.
    """

    def __init__(self, directory: Path, dsns: dict[str, str], lease: float, ready: bool = True) -> None:
        directory.mkdir(exist_ok=True)
        (directory / "work.py").write_text(WORK)
        parts = [
            f"""\
[jobs.{name}]
database = "{dsn}"
lease = "{lease}s"

[consumers.{name}]
type = "work.py:Work"
jobs = "{name}"
backoff = "0s"
threads = {THREADS}
"""
            for name, dsn in dsns.items()
        ]
        super().__init__(directory, "\n".join(parts), ready=ready)

    def noted(self, what: str, database: str) -> Counter[int]:
        """How often the jobs of a database were ``begun``, or were ``failing``, over all lives of the hub."""
        file = self.directory / "notes"
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return Counter(int(number) for word, name, number in lines if (word, name) == (what, database))

    def begun(self) -> int:
        """How many jobs were begun, each as often as it was."""
        file = self.directory / "notes"
        return file.read_text().count("begun") if file.exists() else 0


def insert(jobs: Jobs, count: int) -> list[int]:
    """Numbers of new jobs, which may fail as often as they like."""
    return [handle.id for handle in jobs.insert_many(QUEUE, range(count), max_retries=10_000)]


def check_jobs(
    jobs: Jobs, database: str, inserted: Collection[int], hubs: Sequence[JobHub], repeats: int | None
) -> None:
    """Check that each job was begun, and was accepted as done once.

    :param repeats: how many may have been begun again though they had not failed; ``None``: any.
    """
    states = Counter(status.state if (status := jobs.find(number)) else None for number in inserted)
    assert states == {JobState.FINISHED: len(inserted)}
    begun, failing = Counter[int](), Counter[int]()
    for hub in hubs:
        begun += hub.noted("begun", database)
        failing += hub.noted("failing", database)
    again = sum(max(0, times - 1 - failing[number]) for number, times in begun.items())
    print(f"{database}: {len(inserted)} jobs, {again} repeats, may be {repeats}")
    assert set(inserted) <= begun.keys()
    assert repeats is None or again <= repeats
    if isinstance(jobs._storage, PostgreSQL):  # SQLite's table of exit statuses has a job once, or fails
        twice = rows(
            jobs,
            "SELECT job FROM (SELECT unnest(ids) AS job FROM hubbub_jobs.outcome WHERE ending = 'finished') AS o"
            " GROUP BY job HAVING count(*) > 1",
        )
        assert twice == []
