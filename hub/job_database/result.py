"""What became of a job in the hands of a consumer, on its way to the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from hub.jobs.job import Job


Outcome = Literal["finished", "retry", "ask", "dead", "given back"]
"""``retry``: it failed; ``ask``: the consumer asked for another attempt, and none is counted."""


class Result(NamedTuple):
    """One job's outcome.

    :ivar delay: seconds until the next attempt. :ivar text: the error, or the reason of a dead letter.
    :ivar failed: whether the attempt failed; else the consumer asked for the outcome.
    """

    job: Job
    outcome: Outcome
    delay: float = 0.0
    text: str = ""
    failed: bool = False
