"""Ways in which a job in hand ends, for :meth:`hub.jobs.Jobs.settle`. Pure."""

from __future__ import annotations

from hub.jobs.checks import error_text, result_text
from hub.jobs.job import Ending, Job, Settlement


def exit_status(status: int) -> int:
    """Pass an exit status. :raises ValueError: it is none."""
    if not isinstance(status, int) or not -(2**31) <= status < 2**31:
        raise ValueError(f"an exit status is a whole number of 32 bits, not {status!r}")
    return status


def finished(job: Job, status: int = 0, result: object = None) -> Settlement:
    """It is finished. :raises BadJob: the result can't be encoded, or is too large."""
    text = "" if result is None else result_text(result, "the result")
    return Settlement(job, Ending.FINISHED, status=exit_status(status), result=text)


def failed(job: Job, error: BaseException | str, delay: float) -> Settlement:
    """It has failed: it comes again after the delay, in seconds, or is a dead letter after its last attempt."""
    if job.last_attempt:
        return buried(job, error)
    return Settlement(job, Ending.RETRIED, attempt=job.attempt + 1, delay=delay, error=error_text(error))


def buried(job: Job, error: BaseException | str) -> Settlement:
    """It is a dead letter. :param error: the reason."""
    return Settlement(job, Ending.DEAD, attempt=job.attempt, error=error_text(error))


def given_back(job: Job, delay: float = 0.0) -> Settlement:
    """Others may have it, after the delay, in seconds. This counts no attempt."""
    return Settlement(job, Ending.GIVEN_BACK, attempt=job.attempt, delay=delay)
