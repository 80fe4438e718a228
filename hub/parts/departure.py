"""The last lines of a hub that stops: who did not finish in time, and what each queue has left."""

from __future__ import annotations

import logging

from hub.partlog import PartLog
from hub.parts.roster import Roster


def tell_the_end(roster: Roster, log: PartLog, in_time: bool) -> None:
    """A line for each consumer. :param in_time: whether all crews have gone."""
    for crew in roster.leaving if not in_time else ():
        if not crew.gone.is_set():
            text = "consumer %s did not finish %s in time"
            log.error(text, crew.queue.name, crew.busy_with or "its work", extra={"action": "stop"})
    for name, member in [*roster.members.items(), *roster.orphans.items()]:
        counts = member.queue.stats().counters
        log.log(
            logging.WARNING if counts.backlog else logging.INFO,
            "consumer %s: received %d, finished %d, dead %d, dropped %d, left %d",
            *(name, counts.received, counts.finished, counts.dead, counts.dropped, counts.backlog),
            extra={"action": "stop", "consumer": name},
        )
