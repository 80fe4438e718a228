"""What the process of a job records of it beside its end: how far it is, and the steps that are done."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hub.jobs.checks import progress_text, result_text, step_name
from hub.jobs.errors import Fenced, LostClaims
from hub.jobs.job import Job, NoteKind
from hub.jobs.working import GIVEN_UP, UNKNOWN, Working


class Noting(Working):
    """Records progress and steps of jobs in hand. Thread-safe."""

    def progress(self, job: Job, fraction: float, text: str = "") -> None:
        """Tell how far a job in hand is; ``find`` shows it. :param fraction: from 0 to 1. :param text: for people.

        :raises BadJob: one of them can't be used. :raises Fenced: it is somebody else's, or was settled.
        """
        self._note(job, NoteKind.PROGRESS, "", progress_text(fraction, text))

    def step(self, job: Job, name: str, function: Callable[[], object]) -> Any:
        """Run a step of a job in hand once, however often the job is tried: a later attempt returns what is recorded.

        A step whose process dies before its result is recorded runs again. Dead letters keep their steps.

        :param function: returns what JSON can hold. :returns: that, as JSON gives it back.
        :raises BadJob: the name or the result can't be used.
        :raises Fenced: the job is somebody else's, or was settled.
        """
        key = (NoteKind.STEP, step_name(name))
        self._ready()
        found = self._storage.notes(job.id).get(key)
        if found is None:
            found = result_text(function(), f"the result of step {name!r}")
            self._note(job, *key, found)
        return json.loads(found)

    def _note(self, job: Job, kind: NoteKind, name: str, text: str) -> None:
        self._ready()
        reason = UNKNOWN
        if self._in_hand.has(job):
            try:
                if self._storage.note(job, kind, name, text):
                    return
                reason = GIVEN_UP
                self._forget(job.process)
            except LostClaims as error:
                reason = str(error)
        with self._lock:
            self.fenced += 1
        raise Fenced([job], reason)
