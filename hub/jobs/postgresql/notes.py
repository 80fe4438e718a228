"""Results, progress and steps of jobs, in the table ``note``."""

from __future__ import annotations

from collections.abc import Sequence

from hub.jobs.connections import Link
from hub.jobs.errors import LostClaims
from hub.jobs.job import Ending, Job, NoteKind, Settlement
from hub.jobs.postgresql.database import Database

FENCE = "SELECT 1 FROM hubbub_jobs.process WHERE id = %(id)s FOR KEY SHARE"
"""Locks the row of a living process: a heartbeat does not wait for it, a rescue does."""
WRITE = """
    INSERT INTO hubbub_jobs.note (job, kind, name, text) VALUES (%(job)s, %(kind)s, %(name)s, %(text)s)
    ON CONFLICT (job, kind, name) DO UPDATE SET text = excluded.text, at = now()
"""


class Notes:
    """Records and reads what a process says of its jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, job: Job, kind: NoteKind, name: str, text: str) -> bool:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.begin() as link:
            if not link.rows(FENCE, {"id": job.process}):
                return False
            if not link.rows("SELECT 1 FROM hubbub_jobs.claim WHERE id = %(claim)s", {"claim": job.claim}):
                raise LostClaims([job.claim])
            link.put(WRITE, {"job": job.id, "kind": kind.value, "name": name, "text": text})
            return True

    def notes(self, job: int) -> dict[tuple[NoteKind, str], str]:
        """See :class:`hub.jobs.storage.Storage`."""
        with self._database.look() as link:
            found = link.rows("SELECT kind, name, text FROM hubbub_jobs.note WHERE job = %(job)s", {"job": job})
        return {(NoteKind(kind), name): text for kind, name, text in found}


def end_notes(link: Link, settlements: Sequence[Settlement], some: bool) -> None:
    """Forget the notes of jobs that have ended, and write results. :param some: whether there are any notes."""
    ended = [one.job.id for one in settlements if one.ending in (Ending.FINISHED, Ending.CANCELLED)]
    if some and ended:
        forget_notes(link, ended)
    for one in settlements:
        if one.result and one.ending is Ending.FINISHED:
            link.put(WRITE, {"job": one.job.id, "kind": NoteKind.RESULT.value, "name": "", "text": one.result})


def forget_notes(link: Link, jobs: Sequence[int]) -> None:
    """Delete the notes of jobs."""
    link.put("DELETE FROM hubbub_jobs.note WHERE job = ANY (CAST(%(jobs)s AS bigint[]))", {"jobs": list(jobs)})
