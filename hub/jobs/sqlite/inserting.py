"""Inserts jobs into a file of SQLite, and decides who holds a key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from hub.jobs.connections import Link
from hub.jobs.job import Conflict, Handle, NewJob
from hub.jobs.sqlite.operations import cancel_waiting

INSERT = """
    INSERT INTO job
    (id, queue, priority, state, created, due, attempt, max_retries, key, tags, coalesce, lock, trace, body)
    VALUES
    (:id, :queue, :priority, :state, :created, :due, 1, :max_retries, :key, :tags, :coalesce, :lock, :trace, :body)
"""


def insert_jobs(link: Link, jobs: Sequence[NewJob], now: float) -> list[Handle]:
    """Insert jobs in the link's transaction. :param now: epoch seconds."""
    # This writes before it reads: a reader's transaction can't become a writer's if another has written.
    link.run("UPDATE counter SET jobs = jobs + :count", {"count": len(jobs)})
    ((last,),) = link.rows("SELECT jobs FROM counter")
    link.many(
        "INSERT OR IGNORE INTO queue VALUES (:queue)",
        [{"queue": queue} for queue in dict.fromkeys(job.queue for job in jobs)],
    )
    handles, rows = [], []
    for number, job in enumerate(jobs, last - len(jobs) + 1):
        handle, kept = (Handle(number), job) if job.key is None else _hold(link, job, number, now)
        handles.append(handle)
        if handle.new:
            rows.append(_row(number, kept, now))
        if job.key is not None and rows:  # a later one of the batch may replace it
            link.many(INSERT, rows)
            rows = []
    if rows:
        link.many(INSERT, rows)
    return handles


def _row(number: int, job: NewJob, now: float) -> dict[str, Any]:
    due = job.due if job.due is not None else now + job.delay
    return {
        "id": number,
        "queue": job.queue,
        "priority": job.priority,
        "state": "delayed" if job.later else "waiting",
        "created": now,
        "due": due if job.later else None,
        "max_retries": job.max_retries,
        "key": job.key,
        "tags": json.dumps(job.tags),
        "coalesce": job.coalesce,
        "lock": job.lock,
        "trace": job.traced,
        "body": job.body,
    }


def _hold(link: Link, job: NewJob, number: int, now: float) -> tuple[Handle, NewJob]:
    """Give a new job its key, or find the one that has it. :returns: its handle, and the job, debounced."""
    values: dict[str, Any] = {"queue": job.queue, "key": job.key, "job": number, "keeps": job.unique.value}
    found = link.rows(
        "SELECT k.job, coalesce(j.state, ''), k.since FROM live_key AS k LEFT JOIN job AS j ON j.id = k.job"
        " WHERE k.queue = :queue AND k.key = :key",
        values,
    )
    since = now
    if found:
        holder, state, since = found[0]
        if job.conflict is Conflict.KEEP or state not in ("waiting", "delayed"):
            return Handle(holder, new=False), job
        if job.conflict is Conflict.DEBOUNCE:
            job = replace(job, due=min(now + job.delay, since + job.max_wait))
        if job.conflict is Conflict.DEBOUNCE and state == "delayed":
            _put_off(link, job, holder, now)
            return Handle(holder, new=False), job
        cancel_waiting(link, holder, now)
    link.run(
        "INSERT OR REPLACE INTO live_key (queue, key, job, keeps, since) VALUES (:queue, :key, :job, :keeps, :since)",
        {**values, "since": since},
    )
    return Handle(number), job


def _put_off(link: Link, job: NewJob, holder: int, now: float) -> None:
    """Have the delayed holder of the key become the new job."""
    link.run(
        "UPDATE job SET priority = :priority, due = :due, attempt = 1, max_retries = :max_retries, tags = :tags,"
        " coalesce = :coalesce, lock = :lock, trace = :trace, body = :body WHERE id = :id",
        _row(holder, job, now),
    )
    link.run("UPDATE live_key SET keeps = :keeps WHERE job = :job", {"job": holder, "keeps": job.unique.value})
