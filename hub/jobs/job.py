"""Jobs as values: what is inserted, what is claimed, and what is known of one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from hub.errors import NotJSON
from hub.jobs.trace import trace_headers

LOWEST_PRIORITY, DEFAULT_PRIORITY, HIGHEST_PRIORITY = 0, 4, 9
DEFAULT_RETRIES = 25


class Unique(StrEnum):
    """Time for which a job holds its key."""

    WAITING = "waiting"
    """Until it is claimed."""
    UNFINISHED = "unfinished"
    """Until it is finished, dead or cancelled."""
    KEPT = "kept"
    """Until its exit status is pruned, or it is dead or cancelled."""
    UNFINISHED_OR_DEAD = "unfinished-or-dead"
    """Until it is finished or cancelled: also as a dead letter."""
    KEPT_OR_DEAD = "kept-or-dead"
    """Until its exit status is pruned, or it is cancelled: also as a dead letter."""


class Conflict(StrEnum):
    """Fate of a new job whose key is held."""

    KEEP = "keep"
    """It is not inserted."""
    REPLACE = "replace"
    """It takes the place of the other, if that one still waits; else it is not inserted."""
    DEBOUNCE = "debounce"
    """The same, and its delay begins anew, up to the longest wait since the key was taken."""


class JobState(StrEnum):
    """State of a job."""

    WAITING = "waiting"
    DELAYED = "delayed"
    RUNNING = "running"
    DEAD = "dead"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class NewJob(msgspec.Struct, frozen=True):
    """A checked job before it has a number.

    :ivar delay: seconds until it is due; 0: at once. :ivar due: or the moment, in epoch seconds.
    :ivar max_wait: seconds since its key was taken, to which a debounced one is put off at most.
    :ivar traced: trace headers of what it was inserted for, as JSON; ``None``: there are none.
    """

    queue: str
    body: bytes
    priority: int = DEFAULT_PRIORITY
    max_retries: int = DEFAULT_RETRIES
    delay: float = 0.0
    due: float | None = None
    key: str | None = None
    unique: Unique = Unique.UNFINISHED
    conflict: Conflict = Conflict.KEEP
    tags: tuple[str, ...] = ()
    coalesce: str | None = None
    lock: str | None = None
    max_wait: float = 0.0
    traced: str | None = None

    @property
    def later(self) -> bool:
        """True if it is not to be claimed at once."""
        return self.delay > 0 or self.due is not None


class Coalescing(msgspec.Struct, frozen=True):
    """Jobs that are claimed together. :ivar prefix: whether theirs begins with the value, or is it."""

    value: str
    prefix: bool = False


class ClaimLimits(msgspec.Struct, frozen=True):
    """Limits of a queue, for all programs together.

    :ivar per_lock: how many jobs with the same lock run at a time. :ivar rate: claims per second; ``None``: any.
    :ivar burst: how many are claimed at once after a rest.
    """

    per_lock: int = 1
    rate: float | None = None
    burst: float = 1.0


class Handle(msgspec.Struct, frozen=True):
    """The number of a job. :ivar new: false if it held the key before, and the new one was not inserted."""

    id: int
    new: bool = True


class Job(msgspec.Struct, frozen=True):
    """A job that was claimed, or looked at.

    :ivar attempt: which one this is, from 1. :ivar created: epoch seconds. :ivar claim: number of the claim; 0 if it
        was only looked at. :ivar process: number of the process that claimed it.
    :ivar reason: of a dead letter: why. :ivar coalesce: by which it may be claimed together with others.
    :ivar lock: jobs of the queue with the same one run one after another. :ivar traced: see ``trace``.
    :ivar alone: whether a claim has it alone: its process died, and it may have been the reason.
    """

    id: int
    queue: str
    body: bytes
    priority: int
    attempt: int
    max_retries: int
    created: float
    key: str | None = None
    tags: tuple[str, ...] = ()
    claim: int = 0
    process: int = 0
    reason: str = ""
    coalesce: str | None = None
    lock: str | None = None
    traced: str | None = None
    alone: bool = False

    @property
    def trace(self) -> dict[str, str]:
        """Headers ``traceparent`` and ``tracestate`` of what the job was inserted for; empty if it belongs to no
        trace."""
        return trace_headers(self.traced)

    def json(self) -> Any:
        """Decode the body, anew for each call. :raises NotJSON: it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise NotJSON(f"the body of job {self.id} is not JSON: {error}") from error

    @property
    def last_attempt(self) -> bool:
        """True if a failure makes it a dead letter."""
        return self.attempt > self.max_retries


@dataclass(frozen=True, slots=True)
class JobStatus:
    """State of a job, with its attempts and its end.

    :ivar attempts: how many were begun. :ivar status: the exit status of a finished one. :ivar due: epoch seconds, of a
        delayed one. :ivar ended: epoch seconds, of a finished, cancelled or dead one.
    :ivar result: what a finished one was completed with. :ivar progress: from 0 to 1, if it has told it.
    :ivar progress_text: what it has told with that.
    """

    id: int
    queue: str
    state: JobState
    attempts: int
    status: int | None = None
    due: float | None = None
    ended: float | None = None
    result: Any = None
    progress: float | None = None
    progress_text: str = ""


@dataclass(frozen=True, slots=True)
class JobError:
    """Why an attempt failed. :ivar at: epoch seconds. :ivar queue: empty if an older version wrote it."""

    attempt: int
    at: float
    text: str
    job: int = 0
    queue: str = ""


@dataclass(frozen=True, slots=True)
class JobCounts:
    """Numbers of a queue. :ivar oldest: seconds since the oldest waiting job was inserted; 0 if none waits.
    :ivar paused: whether it is. :ivar reason: of the pause."""

    waiting: int = 0
    oldest: float = 0.0
    delayed: int = 0
    running: int = 0
    dead: int = 0
    paused: bool = False
    reason: str = ""


class NoteKind(StrEnum):
    """What a job's process records of it beside its end."""

    RESULT = "result"
    """JSON with which it was completed. It has no name."""
    PROGRESS = "progress"
    """JSON: how far it is, and a text. It has no name."""
    STEP = "step"
    """JSON: the result of a step, by its name."""


class Ending(StrEnum):
    """End of a claim on a job."""

    FINISHED = "finished"
    RETRIED = "retried"
    DEAD = "dead"
    GIVEN_BACK = "given-back"
    CANCELLED = "cancelled"


class Settlement(msgspec.Struct, frozen=True):
    """The end of a claim on one job.

    :ivar attempt: the number that its next attempt has. :ivar delay: seconds until then. :ivar error: text for the
        log of errors; empty: no line. :ivar closes: whether the claim has no other job left.
        :ivar result: JSON that is kept with the exit status; empty: none.
        :ivar alone: whether the job is claimed alone from now on, whatever it was before.
    """

    job: Job
    ending: Ending
    status: int = 0
    attempt: int = 0
    delay: float = 0.0
    error: str = ""
    closes: bool = False
    result: str = ""
    alone: bool = False

    @property
    def waits(self) -> bool:
        """True if the job waits again at once."""
        return self.ending in (Ending.RETRIED, Ending.GIVEN_BACK) and self.delay <= 0

    @property
    def stays_alone(self) -> bool:
        """True if the job's next claim has it alone. One that failed has let its process live."""
        return self.alone or (self.job.alone and self.ending is not Ending.RETRIED)


def epoch(moment: datetime | None) -> float | None:
    """Epoch seconds of a moment, if there is one."""
    return None if moment is None else moment.timestamp()
