"""The last log lines of a stopping hub: crews that did not finish in time, and the counts of each queue."""

from __future__ import annotations

import logging

from hub.partlog import PartLog
from hub.parts.consumers import Consumers


def tell_the_end(consumers: Consumers, log: PartLog) -> None:
    """Log a line for each crew that did not finish in time, then one for each queue."""
    for crew in consumers.leaving:
        if not crew.gone.is_set():
            text = "consumer %s did not finish %s in time"
            log.error(text, crew.source.name, crew.busy_with or "its work", extra={"action": "stop"})
    for name, member in [*consumers.members.items(), *consumers.orphans.items()]:
        counts = member.queue.stats().counters
        log.log(
            logging.WARNING if counts.backlog else logging.INFO,
            "consumer %s: received %d, finished %d, dead %d, dropped %d, left %d",
            *(name, counts.received, counts.finished, counts.dead, counts.dropped, counts.backlog),
            extra={"action": "stop", "consumer": name},
        )
    for name, jobs in consumers.queues.jobs.items():
        counts = jobs.stats().counters
        log.info(
            "consumer %s: finished %d jobs, %d failed attempts, %d dead",
            *(name, counts.finished, counts.failed, counts.dead),
            extra={"action": "stop", "consumer": name},
        )
