"""Databases for the tests of jobs, and programs that work jobs and are killed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hub.jobs import Jobs
from tests.support import ROOT

WORKER = """
import sys
from hub.jobs import Jobs, Fenced
dsn, log = sys.argv[1:]
jobs = Jobs(dsn, lease=1.0)
with jobs.keep_alive(), open(log, "a") as done:
    print("ready", flush=True)
    while True:
        for job in jobs.claim(20, ["q"]):
            try:
                jobs.complete(job)
            except Fenced:
                continue
            done.write(f"{job.id}\\n")
            done.flush()
"""
"""A program that notes each job whose completion was accepted."""


class Killed:
    """That program, started, and killed with -9."""

    def __init__(self, dsn: str, log: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, dsn, str(log)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def rows(jobs: Jobs, sql: str) -> list[tuple[Any, ...]]:
    """What a statement finds in the jobs' own database."""
    storage: Any = jobs._storage
    with storage._database.begin() as link:
        found: list[tuple[Any, ...]] = link.rows(sql)
        return found


def let_lease_pass(jobs: Jobs) -> None:
    """Make the process of these jobs look as if it had been silent for an hour, and another had found it so."""
    storage: Any = jobs._storage
    with storage._database.begin() as link:
        if type(storage).__name__ == "SQLite":
            link.run(
                "UPDATE process SET seen = seen - 3600, silent_since = seen - 3500 WHERE id = :id",
                {"id": jobs._process},
            )
        else:
            link.run(
                "UPDATE hubbub_jobs.process SET seen = seen - interval '1 hour',"
                " silent_since = seen - interval '50 minutes' WHERE id = %(id)s",
                {"id": jobs._process},
            )


def let_the_bucket_fill(jobs: Jobs, queue: str, seconds: float) -> None:
    """Make the queue's bucket look as if it had been filling for so long."""
    storage: Any = jobs._storage
    with storage._database.begin() as link:
        if type(storage).__name__ == "SQLite":
            sql = "UPDATE queue_limit SET refilled = refilled - :seconds WHERE queue = :queue"
        else:
            sql = (
                "UPDATE hubbub_jobs.queue_limit SET refilled = refilled - make_interval(secs => %(seconds)s)"
                " WHERE queue = %(queue)s"
            )
        link.run(sql, {"queue": queue, "seconds": seconds})


def silent_for(jobs: Jobs, seconds: float, noted: bool = False) -> None:
    """Make the database's clock look as if it had gone on by so much since the process has renewed its lease.

    :param noted: and since it was noted as silent.
    """
    storage: Any = jobs._storage
    columns = ("seen", "silent_since") if noted else ("seen",)
    with storage._database.begin() as link:
        values = {"id": jobs._process, "seconds": seconds}
        if type(storage).__name__ == "SQLite":
            changes = ", ".join(f"{name} = {name} - :seconds" for name in columns)
            link.run(f"UPDATE process SET {changes} WHERE id = :id", values)
        else:
            changes = ", ".join(f"{name} = {name} - make_interval(secs => %(seconds)s)" for name in columns)
            link.run(f"UPDATE hubbub_jobs.process SET {changes} WHERE id = %(id)s", values)
