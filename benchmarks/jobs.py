"""Benchmark of the job queue: jobs inserted and worked per second, on a database that is named.

``python -m benchmarks.jobs DSN [--jobs N] [--batch N] [--held]``: the database should be an empty one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine

from hub.jobs import Jobs
from hub.jobs.connections import url_of

QUEUE = "benchmark"
BODY = b'{"path": "/srv/pictures/2026/11/30/0001.jpeg", "size": [320, 200]}'


@contextmanager
def held_snapshot(dsn: str) -> Iterator[None]:
    """A transaction that stays open, as a report or a backup does it."""
    engine = create_engine(url_of(dsn), isolation_level="REPEATABLE READ")
    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM pg_class")
        yield
    engine.dispose()


def inserted(jobs: Jobs, count: int, batch: int) -> float:
    """Jobs per second, inserted in batches."""
    began = time.perf_counter()
    for _ in range(count // batch):
        jobs.insert_many(QUEUE, [BODY] * batch)
        jobs.maintain()
    return count / (time.perf_counter() - began)


def inserted_singly(jobs: Jobs, count: int) -> float:
    """Jobs per second, each in a transaction of its own."""
    began = time.perf_counter()
    for _ in range(count):
        jobs.insert(QUEUE, BODY)
    return count / (time.perf_counter() - began)


def worked(jobs: Jobs, batch: int) -> tuple[int, float]:
    """How many jobs there were, and how many a second were claimed and completed."""
    count, began = 0, time.perf_counter()
    while claimed := jobs.claim(batch, [QUEUE]):
        jobs.complete(claimed)
        jobs.maintain()
        count += len(claimed)
    return count, count / (time.perf_counter() - began)


def latencies(jobs: Jobs, count: int, every: float) -> tuple[float, float]:
    """Seconds from the call of insert to the end of the claim, one job at a time: median and 99th percentile."""
    found = []
    for _ in range(count):
        began = time.perf_counter()
        jobs.insert(QUEUE, BODY)
        claimed = jobs.claim(10, [QUEUE])
        found.append(time.perf_counter() - began)
        jobs.complete(claimed)
        time.sleep(max(0.0, every - (time.perf_counter() - began)))
    found.sort()
    return found[len(found) // 2], found[int(len(found) * 0.99)]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dsn")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--held", action="store_true", help="with a snapshot that stays open (PostgreSQL)")
    chosen = parser.parse_args()
    with Jobs(chosen.dsn) as jobs:
        print(f"inserted singly: {inserted_singly(jobs, 1000):,.0f}/s")
        print(f"inserted by {chosen.batch * 10}: {inserted(jobs, chosen.jobs, chosen.batch * 10):,.0f}/s")
        count, rate = worked(jobs, chosen.batch)
        print(f"worked {count:,} by {chosen.batch}: {rate:,.0f}/s")
        middle, late = latencies(jobs, 300, 0.01)
        print(f"insert to claim, 100/s: {middle * 1000:.1f} ms, p99 {late * 1000:.1f} ms")
        if chosen.held:
            with held_snapshot(chosen.dsn):
                for _ in range(3):
                    inserted(jobs, chosen.jobs, chosen.batch * 10)
                    count, rate = worked(jobs, chosen.batch)
                    print(f"worked {count:,} by {chosen.batch} with a snapshot held: {rate:,.0f}/s")


if __name__ == "__main__":
    main()
