"""Inserts jobs, and decides who holds a key."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from hub.errors import Unavailable
from hub.jobs.connections import Link, callers_link
from hub.jobs.errors import BadJob
from hub.jobs.job import Conflict, Handle, NewJob
from hub.jobs.postgresql.claiming import append_cancelled
from hub.jobs.postgresql.database import KNOWN, Database, Lanes, LanesChanged, current_segment, values_of_lanes
from hub.jobs.postgresql.rows import COLUMNS, VALUES, append, append_later, row_of_new, values_of_row

ATTEMPTS = 20
"""How often a key is tried whose holder goes away again and again."""
HOLD = """
    INSERT INTO hubbub_jobs.live_key (queue, key, job, keeps)
    VALUES (%(queue)s, %(key)s, %(job)s, %(keeps)s)
    ON CONFLICT (queue, key) DO NOTHING RETURNING job
"""


class Insertion:
    """Inserts jobs, in a transaction of its own or in the caller's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, jobs: Sequence[NewJob], connection: object | None) -> list[Handle]:
        """See :class:`hub.jobs.storage.Storage`."""
        places = [(job.queue, job.priority) for job in jobs]
        try:
            return self._database.with_lanes(places, lambda lanes: self._insert(jobs, lanes, connection))
        except LanesChanged as error:
            if connection is None:
                raise Unavailable(str(error)) from None
            raise BadJob("connection= is to another database of PostgreSQL than that of the jobs") from None

    def _insert(self, jobs: Sequence[NewJob], lanes: Lanes, connection: object | None) -> list[Handle]:
        if connection is None:
            with self._database.begin_held_up(len(jobs)) as link:
                return insert_jobs(link, jobs, lanes)
        with callers_link(connection, "postgresql") as link:
            _check_encoding(jobs, self._database.check_place(link))
            return insert_jobs(link, jobs, lanes)


def _check_encoding(jobs: Sequence[NewJob], encoding: str) -> None:
    """:raises BadJob: a text may not be writable in it; a driver would find that in the middle of an insertion."""
    if encoding == "UTF8":
        return
    for job in jobs:
        for text in (job.queue, job.key, job.coalesce, job.lock, *job.tags):
            if text is not None and not text.isascii():
                raise BadJob(
                    f"queue {job.queue!r}: connection= has the client_encoding {encoding}; UTF8 is needed for {text!r}"
                )


def insert_jobs(link: Link, jobs: Sequence[NewJob], lanes: Lanes) -> list[Handle]:
    """Insert jobs in the link's transaction. :raises LanesChanged: they are not those of the database."""
    numbers, segment = _numbers(link, jobs, lanes)
    handles = [Handle(number) for number in numbers]
    rows = [
        (row_of_new(job, number, lanes[job.queue, job.priority]), job)
        for job, number in zip(jobs, numbers, strict=True)
    ]
    # In one order, so that two batches that share keys wait for each other, and never both ways.
    for _, _, index in sorted((job.queue, job.key, index) for index, job in enumerate(jobs) if job.key is not None):
        row, job = rows[index]
        handles[index], job = _hold(link, job, row.id, row.lane)
        if handles[index].new and job.later:  # at once: a further one of the batch may replace it
            append_later(link, [(row, job.delay, job.due)])
    append_later(link, [(row, job.delay, job.due) for row, job in rows if job.later and job.key is None])
    waiting = [row for (row, job), handle in zip(rows, handles, strict=True) if handle.new and not job.later]
    if waiting:
        append(link, segment, waiting)
    return handles


def _numbers(link: Link, jobs: Sequence[NewJob], lanes: Lanes) -> tuple[list[int], int]:
    """Numbers for new jobs, and that of the current segment. :raises LanesChanged: see :func:`insert_jobs`."""
    found = link.rows(
        f"SELECT nextval('hubbub_jobs.job_id'), s.last_value, {KNOWN}"  # noqa: S608 - names of ours
        " FROM hubbub_jobs.segment_number AS s, generate_series(1, CAST(%(count)s AS integer))",
        {"count": len(jobs), **values_of_lanes(lanes, ((job.queue, job.priority) for job in jobs))},
    )
    if not found[0][2]:
        raise LanesChanged
    return [row[0] for row in found], found[0][1]


def _hold(link: Link, job: NewJob, number: int, lane: int) -> tuple[Handle, NewJob]:
    """Give a new job its key, or find the one that has it. :returns: its handle, and the job, debounced."""
    values = {"queue": job.queue, "key": job.key, "job": number, "keeps": job.unique.value}
    for _ in range(ATTEMPTS):
        if link.rows(HOLD, values):
            return Handle(number), job
        found = link.rows(
            "SELECT job, running OR finished IS NOT NULL FROM hubbub_jobs.live_key"  # noqa: S608 - no values
            " WHERE queue = %(queue)s AND key = %(key)s" + ("" if job.conflict is Conflict.KEEP else " FOR UPDATE"),
            values,
        )
        if not found:
            continue
        ((holder, begun),) = found
        if begun or job.conflict is Conflict.KEEP:
            return Handle(holder, new=False), job
        if job.conflict is Conflict.DEBOUNCE:
            job = _debounced(link, job)
            if _put_off(link, job, holder, lane):
                return Handle(holder, new=False), job
        link.put(
            "UPDATE hubbub_jobs.live_key SET job = %(job)s, keeps = %(keeps)s"
            " WHERE queue = %(queue)s AND key = %(key)s",
            values,
        )
        supersede(link, holder)
        return Handle(number), job
    raise Unavailable(f"queue {job.queue!r}: the key {job.key!r} is taken and released all the time")


def _debounced(link: Link, job: NewJob) -> NewJob:
    """A new job, due when its delay has passed from now, or the longest wait from the time when its key was taken."""
    ((due,),) = link.rows(
        "SELECT extract(epoch FROM least(clock_timestamp() + make_interval(secs => %(delay)s),"
        " since + make_interval(secs => %(longest)s)))::float8"
        " FROM hubbub_jobs.live_key WHERE queue = %(queue)s AND key = %(key)s",
        {"queue": job.queue, "key": job.key, "delay": job.delay, "longest": job.max_wait},
    )
    return replace(job, due=due)


def _put_off(link: Link, job: NewJob, holder: int, lane: int) -> bool:
    """Have the holder of the key, if it is still delayed, become the new job."""
    row = row_of_new(job, holder, lane)
    changed = link.run(
        f"UPDATE hubbub_jobs.later SET ({COLUMNS}, due) = ({VALUES}, to_timestamp(%(due)s)) WHERE id = %(id)s",  # noqa: S608
        {**values_of_row(row), "due": job.due},
    )
    if changed:
        link.put(
            "UPDATE hubbub_jobs.live_key SET keeps = %(keeps)s WHERE job = %(job)s",
            {"job": holder, "keeps": job.unique.value},
        )
    return changed > 0


def supersede(link: Link, job: int) -> None:
    """Let a waiting job never run."""
    delayed = link.rows("DELETE FROM hubbub_jobs.later WHERE id = %(job)s RETURNING lane", {"job": job})
    if delayed:
        append_cancelled(link, current_segment(link), delayed[0][0], [job])
    else:  # also if it was not there yet: one of the same batch comes after this
        link.put("INSERT INTO hubbub_jobs.cancelled (job) VALUES (%(job)s) ON CONFLICT DO NOTHING", {"job": job})
