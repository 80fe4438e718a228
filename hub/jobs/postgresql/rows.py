"""Rows of jobs in PostgreSQL: written by COPY or one by one, and read into values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.jobs.connections import Link, Rows
from hub.jobs.job import Job, NewJob, Settlement

FEW = 5
"""Rows up to which single statements are faster than COPY."""
COLUMNS = "id, lane, attempt, max_retries, key, tags, coalesce, lock, trace, alone, body"
"""Columns of each table that has jobs, but for ``created``."""
ALL_COLUMNS = f"{COLUMNS}, created"
VALUES = (
    "%(id)s, %(lane)s, %(attempt)s, %(max_retries)s, %(key)s, CAST(%(tags)s AS text[]), %(coalesce)s, %(lock)s,"
    " %(trace)s, %(alone)s, %(body)s"
)
READ = (
    "j.id, j.lane, extract(epoch FROM j.created)::float8, j.attempt, j.max_retries, j.key, j.tags, j.body, j.coalesce,"
    " j.lock, j.trace, j.alone"
)
"""Columns in the order that :func:`job_of` wants."""
ALONE_OF = 11
"""Place, among these, of whether a claim has it alone."""
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True, slots=True)
class Lane:
    """A queue and a priority. :ivar id: its number in the database."""

    id: int
    queue: str
    priority: int


class JobRow(msgspec.Struct, frozen=True):
    """A row to write. :ivar created: epoch seconds; ``None``: now."""

    id: int
    lane: int
    body: bytes
    max_retries: int
    attempt: int = 1
    created: float | None = None
    key: str | None = None
    tags: tuple[str, ...] = ()
    coalesce: str | None = None
    lock: str | None = None
    traced: str | None = None
    alone: bool = False


def row_of_new(job: NewJob, number: int, lane: int) -> JobRow:
    """Row of a new job."""
    row = JobRow(number, lane, job.body, job.max_retries, key=job.key, tags=job.tags)
    return replace(row, coalesce=job.coalesce, lock=job.lock, traced=job.traced)


def row_of_job(one: Settlement, lane: int) -> JobRow:
    """Row with which a job waits anew, or is a dead letter."""
    job = one.job
    row = JobRow(job.id, lane, job.body, job.max_retries, one.attempt, job.created, job.key, job.tags)
    return replace(row, coalesce=job.coalesce, lock=job.lock, traced=job.traced, alone=one.stays_alone)


def append(link: Link, segment: int, rows: Sequence[JobRow]) -> None:
    """Write rows of waiting jobs into a segment."""
    table = f"hubbub_jobs.job_{int(segment)}"
    fresh = [row for row in rows if row.created is None]
    again = [row for row in rows if row.created is not None]
    for part, columns in ((fresh, COLUMNS), (again, ALL_COLUMNS)):
        if len(part) > FEW:
            link.copy(f"COPY {table} ({columns}) FROM STDIN", "".join(map(_copied, part)))
            continue
        for row in part:
            values = VALUES if row.created is None else f"{VALUES}, to_timestamp(%(created)s)"
            link.put(f"INSERT INTO {table} ({columns}) VALUES ({values})", values_of_row(row))  # noqa: S608 - names of ours


def append_later(link: Link, rows: Sequence[tuple[JobRow, float, float | None]]) -> None:
    """Write rows of delayed jobs, each with its delay in seconds, or the moment in epoch seconds."""
    sql = f"""
        INSERT INTO hubbub_jobs.later ({COLUMNS}, created, due)
        VALUES ({VALUES}, coalesce(to_timestamp(%(created)s), now()),
            coalesce(to_timestamp(%(due)s), clock_timestamp() + make_interval(secs => %(delay)s)))
    """  # noqa: S608 - names of ours
    for row, delay, due in rows:
        link.put(sql, {**values_of_row(row), "delay": float(delay), "due": due})


def append_dead(link: Link, row: JobRow, reason: str) -> None:
    """Write the row of a dead letter."""
    sql = f"""
        INSERT INTO hubbub_jobs.dead ({COLUMNS}, created, reason)
        VALUES ({VALUES}, coalesce(to_timestamp(%(created)s), now()), %(reason)s)
    """  # noqa: S608 - names of ours
    link.put(sql, {**values_of_row(row), "reason": reason})


def job_of(row: Sequence[Any], lane: Lane, claim: int = 0, process: int = 0, reason: str = "") -> Job:
    """Value of a row that was read by ``READ``."""
    number, _, created, attempt, max_retries, key, tags, body, coalesce, lock, traced, alone = row[:12]
    return Job(
        number,
        lane.queue,
        bytes(body),
        lane.priority,
        attempt,
        max_retries,
        created,
        key,
        tuple(tags) if tags else (),
        claim,
        process,
        reason,
        coalesce,
        lock,
        traced,
        alone,
    )


def lanes_of(rows: Rows) -> list[Lane]:
    """Lanes of rows with number, queue and priority."""
    return [Lane(*row) for row in rows]


def values_of_row(row: JobRow) -> dict[str, Any]:
    """Values for ``VALUES``."""
    return {
        "id": row.id,
        "lane": row.lane,
        "attempt": row.attempt,
        "max_retries": row.max_retries,
        "key": row.key,
        "tags": list(row.tags) or None,
        "coalesce": row.coalesce,
        "lock": row.lock,
        "trace": row.traced,
        "alone": row.alone,
        "body": row.body,
        "created": row.created,
    }


def _copied(row: JobRow) -> str:
    """Line of COPY's text format."""
    tags = _array(row.tags) if row.tags else None
    texts = "\t".join(map(_escaped, (row.key, tags, row.coalesce, row.lock, row.traced)))
    begin = f"{row.id}\t{row.lane}\t{row.attempt}\t{row.max_retries}"
    line = f"{begin}\t{texts}\t{'t' if row.alone else 'f'}\t\\\\x{row.body.hex()}"
    if row.created is None:
        return f"{line}\n"
    return f"{line}\t{datetime.fromtimestamp(row.created, UTC).isoformat()}\n"


def _escaped(text: str | None) -> str:
    return "\\N" if text is None else text.translate(_ESCAPES)


def _array(texts: Sequence[str]) -> str:
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
