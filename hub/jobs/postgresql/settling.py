"""Ends claims: writes outcomes, and where the jobs go on. Behind the fence of the process's row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from hub.errors import Unavailable
from hub.jobs.connections import Link
from hub.jobs.errors import LostClaims
from hub.jobs.job import Ending, Handle, NewJob, Settlement
from hub.jobs.postgresql.database import KNOWN, Database, Lanes, LanesChanged, values_of_lanes
from hub.jobs.postgresql.inserting import insert_jobs
from hub.jobs.postgresql.locks import Held, release_locks
from hub.jobs.postgresql.notes import end_notes
from hub.jobs.postgresql.rows import append, append_dead, append_later, row_of_job

KEPT_BY_DEAD = "('unfinished-or-dead', 'kept-or-dead')"
"""What says of a key that a dead letter holds it; its ``running`` stays true, for it does not wait."""
FENCE = f"SELECT {KNOWN} FROM hubbub_jobs.process WHERE id = %(id)s FOR KEY SHARE OF process"  # noqa: S608 - no values
"""That of :mod:`hub.jobs.postgresql.notes`, and whether the lanes are those that are remembered."""
GROUPS = 100
"""Outcomes that one statement writes."""


class Settling:
    """Ends claims."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def settle(
        self, process: int, settlements: Sequence[Settlement], new: Sequence[NewJob] = ()
    ) -> list[Handle] | None:
        """See :class:`hub.jobs.storage.Storage`."""
        places = [(one.job.queue, one.job.priority) for one in settlements]
        places += [(job.queue, job.priority) for job in new]
        try:
            return self._database.with_lanes(places, lambda lanes: self._settle(process, settlements, new, lanes))
        except LanesChanged as error:
            raise Unavailable(str(error)) from None

    def _settle(
        self, process: int, settlements: Sequence[Settlement], new: Sequence[NewJob], lanes: Lanes
    ) -> list[Handle] | None:
        with self._database.begin_held_up(len(settlements) + len(new)) as link:
            places = {(one.job.queue, one.job.priority) for one in settlements}
            fence = link.rows(FENCE, {"id": process, **values_of_lanes(lanes, places)})
            if not fence:
                return None
            if fence != [(True,)]:
                raise LanesChanged
            ended = end_claims(link, settlements, lanes)
            handles = insert_jobs(link, new, lanes) if new and ended else []
            release_locks_of(link, ended)
            return handles


def end_claims(link: Link, settlements: Sequence[Settlement], lanes: dict[tuple[str, int], int]) -> list[Settlement]:
    """End claims in the link's transaction, which has locked the row of their process.

    :returns: those that were not settled before. Their locks are to be released, as the last thing.
    """
    segment, some_cancelled, some_notes, left = _without_settled(link, settlements)
    if not left:
        return []
    if some_cancelled:
        left = _with_cancelled(link, left)
    _append_outcomes(link, segment, left, lanes)
    waiting, later = [], []
    for one in left:
        row = row_of_job(one, lanes[one.job.queue, one.job.priority])
        if one.ending in (Ending.RETRIED, Ending.GIVEN_BACK):
            if one.delay > 0:
                later.append((row, one.delay, None))
            else:
                waiting.append(row)
        elif one.ending is Ending.DEAD:
            append_dead(link, row, one.error)
        if one.error:
            _log_error(link, one)
    append_later(link, later)
    append(link, segment, waiting)
    end_notes(link, left, some_notes)
    _release_keys(link, left)
    return left


def _without_settled(link: Link, settlements: Sequence[Settlement]) -> tuple[int, bool, bool, list[Settlement]]:
    """Those that are not settled yet: a commit whose answer was lost is repeated.

    :returns: before them the current segment's number, and whether there are any cancelled jobs, and any notes.
    :raises LostClaims: some claims are not there. A crash of the server has undone them; or they were closed, and their
        segment dropped, before the commit was repeated: then the jobs have ended, too, and not by this.
    """
    found = link.rows(
        "SELECT s.last_value, EXISTS (SELECT FROM hubbub_jobs.cancelled), EXISTS (SELECT FROM hubbub_jobs.note), c.id,"
        " ARRAY(SELECT unnest(o.ids) FROM hubbub_jobs.outcome AS o WHERE o.claim = c.id)"
        " FROM hubbub_jobs.segment_number AS s LEFT JOIN hubbub_jobs.claim AS c"
        " ON c.id = ANY (CAST(%(claims)s AS bigint[]))",
        {"claims": sorted({one.job.claim for one in settlements})},
    )
    segment, some_cancelled, some_notes = found[0][:3]
    settled = {claim: set(ids) for *_, claim, ids in found if claim is not None}
    if gone := {one.job.claim for one in settlements} - settled.keys():
        raise LostClaims(gone)
    left = [one for one in settlements if one.job.id not in settled[one.job.claim]]
    return segment, some_cancelled, some_notes, left


def _with_cancelled(link: Link, settlements: Sequence[Settlement]) -> list[Settlement]:
    """The same, where those that would come again and were cancelled meanwhile do not."""
    found = link.rows(
        "DELETE FROM hubbub_jobs.cancelled WHERE job = ANY (CAST(%(ids)s AS bigint[])) RETURNING job",
        {"ids": [one.job.id for one in settlements]},
    )
    cancelled = {number for (number,) in found}
    again = (Ending.RETRIED, Ending.GIVEN_BACK, Ending.DEAD)
    return [
        replace(one, ending=Ending.CANCELLED) if one.job.id in cancelled and one.ending in again else one
        for one in settlements
    ]


def _append_outcomes(
    link: Link, segment: int, settlements: Sequence[Settlement], lanes: dict[tuple[str, int], int]
) -> None:
    groups: dict[tuple[int, str, int, int], list[Settlement]] = defaultdict(list)
    for one in settlements:
        lane = lanes[one.job.queue, one.job.priority]
        groups[one.job.claim, one.ending.value, one.status, lane].append(one)
    listed = list(groups.items())
    for start in range(0, len(listed), GROUPS):
        places: list[str] = []
        values: dict[str, Any] = {}
        for index, ((claim, ending, status, lane), members) in enumerate(listed[start : start + GROUPS]):
            places.append(
                f"(%(claim{index})s, %(ending{index})s, %(status{index})s, %(lane{index})s, %(closes{index})s,"
                f" CAST(%(ids{index})s AS bigint[]), CAST(%(attempts{index})s AS integer[]))"
            )
            values |= {
                f"claim{index}": claim,
                f"ending{index}": ending,
                f"status{index}": status,
                f"lane{index}": lane,
                f"closes{index}": any(one.closes for one in members),
                f"ids{index}": [one.job.id for one in members],
                f"attempts{index}": [one.job.attempt for one in members],
            }
        link.put(
            f"INSERT INTO hubbub_jobs.outcome_{int(segment)}"  # noqa: S608 - names of ours
            f" (claim, ending, status, lane, closes, ids, attempts) VALUES {', '.join(places)}",
            values,
        )


def _log_error(link: Link, one: Settlement) -> None:
    link.put(
        "INSERT INTO hubbub_jobs.error (job, queue, attempt, text) VALUES (%(job)s, %(queue)s, %(attempt)s, %(text)s)",
        {"job": one.job.id, "queue": one.job.queue, "attempt": one.job.attempt, "text": one.error},
    )


def release_locks_of(link: Link, settlements: Sequence[Settlement]) -> None:
    """Last of all: nobody waits for somebody's transaction while he keeps others from the queue's locks."""
    ended: list[Held] = []
    again: list[Held] = []
    for one in settlements:
        if one.job.lock is not None:
            at_once = one.ending in (Ending.RETRIED, Ending.GIVEN_BACK) and one.delay <= 0
            (again if at_once else ended).append((one.job.queue, one.job.lock, one.job.id))
    if ended or again:
        release_locks(link, ended, again)


def _release_keys(link: Link, settlements: Sequence[Settlement]) -> None:
    by_ending: dict[str, list[int]] = defaultdict(list)
    for one in settlements:
        if one.job.key is not None:
            by_ending[one.ending.value].append(one.job.id)
    chosen = "job = ANY (CAST(%(ids)s AS bigint[]))"
    again: dict[str, Any] = {"ids": by_ending[Ending.RETRIED] + by_ending[Ending.GIVEN_BACK]}
    finished: dict[str, Any] = {"ids": by_ending[Ending.FINISHED]}
    dead: dict[str, Any] = {"ids": by_ending[Ending.DEAD]}
    cancelled: dict[str, Any] = {"ids": by_ending[Ending.CANCELLED]}
    if again["ids"]:
        link.put(f"UPDATE hubbub_jobs.live_key SET running = false WHERE {chosen}", again)  # noqa: S608
    if finished["ids"]:
        link.put(
            "UPDATE hubbub_jobs.live_key SET running = false, finished = now()"  # noqa: S608 - no values
            f" WHERE {chosen} AND keeps IN ('kept', 'kept-or-dead')",
            finished,
        )
        link.put(f"DELETE FROM hubbub_jobs.live_key WHERE {chosen} AND finished IS NULL", finished)  # noqa: S608
    if dead["ids"]:
        link.put(f"DELETE FROM hubbub_jobs.live_key WHERE {chosen} AND keeps NOT IN {KEPT_BY_DEAD}", dead)  # noqa: S608
    if cancelled["ids"]:
        link.put(f"DELETE FROM hubbub_jobs.live_key WHERE {chosen}", cancelled)  # noqa: S608
