"""Limits of queues in SQLite: locks, and a token bucket for the rate of claims.

A job that meets its lock held is *parked*, which takes it out of the index that claims read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hub.jobs.connections import Link
from hub.jobs.job import ClaimLimits, Job

WATCHED = "SELECT queue, per_lock, rate, burst, tokens, refilled FROM queue_limit"


def limits_of(link: Link, queue: str, now: float | None = None) -> tuple[int, float | None]:
    """How many jobs may hold the same lock of a queue, and the tokens in its bucket; ``None``: it has no rate.

    :param now: ``None``: the tokens are not wanted. A time of the bucket that is ahead, as a clock was, becomes this.
    """
    for _, per_lock, rate, burst, tokens, refilled in link.rows(f"{WATCHED} WHERE queue = :queue", {"queue": queue}):
        if rate is None or now is None:
            return per_lock, None
        if refilled > now:
            link.run("UPDATE queue_limit SET refilled = :now WHERE queue = :queue", {"queue": queue, "now": now})
        return per_lock, min(burst, tokens + rate * max(0.0, now - refilled))
    return ClaimLimits().per_lock, None


def pay(link: Link, queue: str, tokens: float, jobs: int, now: float) -> None:
    """Take tokens for claimed jobs out of the bucket. :param tokens: what was in it."""
    link.run(
        "UPDATE queue_limit SET tokens = :left, refilled = :now WHERE queue = :queue",
        {"queue": queue, "left": max(0.0, tokens - jobs), "now": now},
    )


def take_locks(link: Link, queue: str, jobs: Sequence[Job], most: int, limit: int) -> list[Job]:
    """Find the first jobs that may run, ``limit`` at most. Those before them that may not are parked.

    :param most: how many may hold the same lock.
    """
    held: dict[str, int] = {}
    runs: list[Job] = []
    parked = []
    for job in jobs:
        if len(runs) == limit:
            break
        if job.lock is not None:
            holders = held[job.lock] if job.lock in held else _holders(link, queue, job.lock)
            held[job.lock] = holders + (holders < most)
            if holders >= most:
                parked.append({"id": job.id})
                continue
        runs.append(job)
    link.many("UPDATE job SET parked = 1 WHERE id = :id", parked)
    return runs


def release_next(link: Link, places: Iterable[tuple[str, str | None]]) -> None:
    """Let the next parked jobs of locks wait again, each by its queue and its lock, as far as these are free.

    A claim decides who gets the lock: in its order none comes before them that was inserted later.
    """
    for queue, lock in sorted({(queue, lock) for queue, lock in places if lock is not None}):
        most, _ = limits_of(link, queue)
        link.run(
            "UPDATE job SET parked = 0 WHERE id IN (SELECT id FROM job WHERE queue = :queue AND lock = :lock"
            " AND parked = 1 ORDER BY priority DESC, id LIMIT :free)",
            {"queue": queue, "lock": lock, "free": max(0, most - _holders(link, queue, lock))},
        )


def set_limits(link: Link, queue: str, limits: ClaimLimits, now: float) -> None:
    """Set a queue's limits. The bucket of a rate that is new is full."""
    _, tokens = limits_of(link, queue, now)
    values: dict[str, Any] = {"queue": queue, "per_lock": limits.per_lock, "rate": limits.rate, "burst": limits.burst}
    left = limits.burst if tokens is None else min(tokens, limits.burst)
    link.run(
        "INSERT OR REPLACE INTO queue_limit VALUES (:queue, :per_lock, :rate, :burst, :tokens, :now)",
        {**values, "tokens": left, "now": now},
    )
    parked = link.rows("SELECT DISTINCT lock FROM job WHERE queue = :queue AND parked = 1", values)
    release_next(link, [(queue, lock) for (lock,) in parked])


def all_limits(link: Link) -> dict[str, ClaimLimits]:
    """Limits of the queues that have any but the usual ones."""
    found = {row[0]: ClaimLimits(*row[1:4]) for row in link.rows(f"{WATCHED} ORDER BY queue")}
    return {queue: limits for queue, limits in found.items() if limits != ClaimLimits()}


def _holders(link: Link, queue: str, lock: str) -> int:
    ((number,),) = link.rows(
        "SELECT count(*) FROM job WHERE queue = :queue AND lock = :lock AND state = 'running'",
        {"queue": queue, "lock": lock},
    )
    return int(number)
