"""A purge of a backlog alone."""

from __future__ import annotations

from hub.queue.backlog import Backlog
from hub.queue.purge import Purge


def purge(backlog: Backlog, tried: bool = False) -> int:
    """Purge it. Returns the number of messages that were dropped."""
    found = Purge(backlog.ready._acks, backlog, tried)
    while not found.over:
        found.drop_part()
    return found.dropped
