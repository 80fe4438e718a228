"""One measurement of ``hub.jobs``, in a process of its own: prints a line of JSON.

``python -m benchmarks.jobs.hubbub_program MEASURE DSN COUNT [RATE]``
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable

from hub.jobs import Jobs

QUEUE = "benchmark"
BULK = 5000
"""Jobs of one call of ``insert_many``."""
CLAIMED = 500
"""Jobs of one claim; SQLite and PostgreSQL alike."""
Report = dict[str, object]


def body(stamp: float = 0.0) -> dict[str, object]:
    """What a job has with it: the same for all systems."""
    return {"path": "/srv/pictures/2026/11/30/0001.jpeg", "size": 320, "stamp": stamp}


def insert(jobs: Jobs, count: int, _: float) -> Report:
    """Each in a transaction of its own."""
    jobs.insert(QUEUE, body())
    began = time.perf_counter()
    for _number in range(count):
        jobs.insert(QUEUE, body())
    return {"rate": count / (time.perf_counter() - began)}


def bulk(jobs: Jobs, count: int, _: float) -> Report:
    """Many in a transaction."""
    jobs.insert(QUEUE, body())
    began = time.perf_counter()
    for start in range(0, count, BULK):
        jobs.insert_many(QUEUE, [body()] * min(BULK, count - start))
    return {"rate": count / (time.perf_counter() - began)}


def work(jobs: Jobs, count: int, _: float) -> Report:
    """Work them in batches, as long as there are any."""
    return _worked(jobs, count, CLAIMED)


def work_singly(jobs: Jobs, count: int, _: float) -> Report:
    """Work them one by one: each is claimed, and each completion is committed, on its own."""
    return _worked(jobs, count, 1)


def _worked(jobs: Jobs, count: int, batch: int) -> Report:
    done, began = 0, time.perf_counter()
    with jobs.keep_alive():
        while done < count and (claimed := jobs.claim(batch, [QUEUE])):
            jobs.complete(claimed)
            done += len(claimed)
    seconds = time.perf_counter() - began
    if done < count:
        raise RuntimeError(f"worked {done} jobs of {count}")
    return {"rate": done / seconds}


def wait(jobs: Jobs, count: int, _: float) -> Report:
    """Work jobs as they come. Its latencies, each with the time before its insert, are from there to the start."""
    latencies: list[tuple[float, float]] = []
    with jobs.keep_alive():
        jobs.claim(1, [QUEUE], wait=0.5)
        print("ready", flush=True)
        while len(latencies) < count:
            claimed = jobs.claim(10, [QUEUE], wait=60)
            now = time.monotonic()
            stamps = [float(job.json()["stamp"]) for job in claimed]
            latencies += [(stamp, now - stamp) for stamp in stamps]
            jobs.complete(claimed)
    return {"latencies": latencies}


def feed(jobs: Jobs, count: int, rate: float) -> Report:
    """Insert jobs at a rate, each with the time before its insert."""
    jobs.counts()
    began = time.monotonic()
    for number in range(count):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        jobs.insert(QUEUE, body(time.monotonic()))
    return {"rate": count / (time.monotonic() - began)}


MEASURES: dict[str, Callable[[Jobs, int, float], Report]] = {
    "insert": insert,
    "bulk": bulk,
    "work": work,
    "work-singly": work_singly,
    "wait": wait,
    "feed": feed,
}


def main() -> None:
    """Measure, and print."""
    measure, dsn, count, *rate = sys.argv[1:]
    with Jobs(dsn) as jobs:
        print(json.dumps(MEASURES[measure](jobs, int(count), float(rate[0]) if rate else 0.0)), flush=True)


if __name__ == "__main__":
    main()
