"""A program that inserts jobs at a rate, or works them, whatever becomes of the database and of itself.

``python -m benchmarks.jobs.chaos_program (feed DSN RATE | work DSN) COUNTER``: the last is a file for the
number of jobs that were inserted or done.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from hub.errors import Unavailable
from hub.jobs import Fenced, Jobs

QUEUE = "chaos"
LEASE = 3.0
"""Seconds: a killed process's jobs come back after it."""
CLAIMED = 50
EVERY = 0.02
"""Seconds between two inserts."""


def feed(jobs: Jobs, rate: float, counter: Path) -> None:
    """Insert jobs at a rate. What could not be inserted in its time is left out: the rate afterwards is not higher."""
    size, count = max(1, round(rate * EVERY)), 0
    file = os.open(counter, os.O_WRONLY | os.O_CREAT)
    due = time.monotonic()
    while True:
        due = max(due + size / rate, time.monotonic() - 1.0)
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            jobs.insert_many(QUEUE, [{"path": "/srv/pictures/1.jpeg"}] * size)
        except Unavailable:
            time.sleep(EVERY)
            continue
        count += size
        os.pwrite(file, b"%20d" % count, 0)


def work(jobs: Jobs, counter: Path) -> None:
    """Work jobs, and write how many were accepted as done into a file, after each batch."""
    file = os.open(counter, os.O_WRONLY | os.O_CREAT)
    done = 0
    while True:
        try:
            claimed = jobs.claim(CLAIMED, [QUEUE], wait=1.0)
        except Unavailable:
            time.sleep(EVERY)
            continue
        while claimed:
            try:
                jobs.complete(claimed)
            except Unavailable:
                time.sleep(EVERY)
                continue
            except Fenced as error:
                done -= len(error.jobs)
            done += len(claimed)
            claimed = []
        os.pwrite(file, b"%20d" % done, 0)


def main() -> None:
    """Run the program."""
    what, dsn, *rate, counter = sys.argv[1:]
    with Jobs(dsn, lease=LEASE) as jobs, jobs.keep_alive():
        if what == "feed":
            feed(jobs, float(rate[0]), Path(counter))
        else:
            work(jobs, Path(counter))


if __name__ == "__main__":
    main()
