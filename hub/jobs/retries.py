"""When a job that failed comes again. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable

from hub.backoff import Uniform, delay_after
from hub.jobs.job import Job

RetryDelay = Callable[[Job], float]
"""From the job that failed to the seconds until its next attempt."""
FIRST_DELAY = 15.0
"""Seconds: bound of the delay after the first failure."""
LONGEST_DELAY = 3600.0


def backoff(uniform: Uniform = random.uniform) -> RetryDelay:
    """Delay with full jitter, whose bound doubles with each attempt."""
    return lambda job: delay_after(job.attempt, uniform, FIRST_DELAY, LONGEST_DELAY)
