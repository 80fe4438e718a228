"""``hubbub job limit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hub.cli.common import json_option
from hub.cli.job.database import JobsDatabase, check_queue, database_option, queue_argument
from hub.cli.output import say

if TYPE_CHECKING:
    from hub.jobs import ClaimLimits


@click.command()
@queue_argument
@database_option
@json_option
@click.option("--per-lock", type=click.IntRange(min=1), metavar="N", help="Jobs with the same lock that run at a time.")
@click.option("--rate", metavar="RATE", help="Jobs that are claimed per time, such as 100/m; none: any.")
@click.option("--burst", type=click.IntRange(min=1), metavar="N", help="Jobs that may be claimed at once after a rest.")
def limit(database: JobsDatabase, queue: str, as_json: bool, **chosen: Any) -> None:
    """Limit what all programs together claim of QUEUE; what is not said stays. Without options: show the limits."""
    from hub.jobs import ClaimLimits

    with database.open() as jobs:
        check_queue(jobs, queue)
        there = jobs.limits().get(queue, ClaimLimits())
        if any(value is not None for value in chosen.values()):
            rate, burst = chosen["rate"] or there.rate, chosen["burst"]
            if burst is None and chosen["rate"] is None and there.burst.is_integer() and there.rate is not None:
                burst = int(there.burst)  # a new rate has its own, of a second
            jobs.set_limits(
                queue,
                per_lock=chosen["per_lock"] or there.per_lock,
                rate=None if rate == "none" else rate,
                burst=burst,
            )
            there = jobs.limits().get(queue, ClaimLimits())
    row = {"queue": queue, "per_lock": there.per_lock, "rate": there.rate, "burst": there.burst}
    say(as_json, row, f"{queue}  {_text(there)}")


def _text(limits: ClaimLimits) -> str:
    rate = "any rate" if limits.rate is None else f"{limits.rate:g} a second, {limits.burst:g} at once after a rest"
    return f"{limits.per_lock} of a lock at a time, {rate}"
