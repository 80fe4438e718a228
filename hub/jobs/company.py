"""Jobs in hand of a process that died: which of them count an attempt, and which are claimed alone from then on.

One of them may have killed the process, and the others are innocent. So a job that died with others counts no attempt,
and its next claim has it alone; if its process dies again, it is the one. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from hub.jobs.job import Ending, Job, Settlement

DIED = "its process died, or was away for longer than its lease"
DIED_WITH_OTHERS = f"{DIED}, with other jobs in hand: no attempt is counted, and it is claimed alone from now on"
T = TypeVar("T")


def given_up(job: Job, in_hand: int, closes: bool = False) -> Settlement:
    """End of a job whose process died.

    :param in_hand: how many jobs that one had. :param closes: as that of the settlement.
    """
    if in_hand > 1 and not job.alone:
        return Settlement(
            job, Ending.GIVEN_BACK, attempt=job.attempt, error=DIED_WITH_OTHERS, closes=closes, alone=True
        )
    if job.last_attempt:
        return Settlement(job, Ending.DEAD, attempt=job.attempt, error=DIED, closes=closes, alone=True)
    return Settlement(job, Ending.RETRIED, attempt=job.attempt + 1, error=DIED, closes=closes, alone=True)


def until_alone(rows: Sequence[T], is_alone: Callable[[T], bool], others: bool) -> tuple[list[T], bool]:
    """Rows that one claim may have together: those before the first that is claimed alone, or that one by itself.

    :param others: whether the same call has claimed some already.
    :returns: the rows, and whether the call is not to claim the rows after these.
    """
    for index, row in enumerate(rows):
        if is_alone(row):
            return ([row] if index == 0 and not others else list(rows[:index])), True
    return list(rows), False
