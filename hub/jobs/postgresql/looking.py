"""Looks for lanes where a claim would find a row, so that idle ones are not locked again and again.

A look at all lanes reads how far each is claimed, and what is beyond that: with 2,000 queues this takes a while, though
nothing waits in nearly all of them. So it is taken now and then. A look between passes the lanes that had nothing then,
and have no row since, at one step in the index for each.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from hub.errors import Unavailable
from hub.interfaces import Clock
from hub.jobs.postgresql.database import Database
from hub.jobs.postgresql.frontiers import look_at_lanes
from hub.jobs.postgresql.rows import Lane

ALL_EVERY = 10.0
"""Seconds between two looks at all lanes: so long a claim that a crash of the server has undone may wait to be found,
as nothing is written to its lane."""


class _Last(NamedTuple):
    """The last look at all lanes.

    :ivar at: by the clock. :ivar since: number of a transaction: what older ones wrote was seen.
    :ivar waited: lanes that had something.
    """

    at: float
    since: str
    waited: list[int]


class Looks:
    """Looks of one program. Thread-safe. :param clock: monotonic."""

    def __init__(self, database: Database, clock: Clock = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._last: _Last | None = None

    def busy(self, queues: Sequence[str] | None) -> tuple[float, list[Lane]]:
        """Lanes with something to claim, the highest priority first, and when the look began.

        :param queues: only theirs, which are few; ``None``: all.
        """
        began, last = self._clock(), self._last
        whole = queues is None and (last is None or began - last.at >= ALL_EVERY)
        try:
            with self._database.statement() as link:
                if queues is not None or whole or last is None:
                    since, lanes = look_at_lanes(link, queues)
                else:
                    since, lanes = look_at_lanes(link, None, since=last.since, waited=last.waited)
        except Unavailable:
            self._last = None  # the server may have been started anew
            raise
        if whole:
            self._last = _Last(began, since, [lane.id for lane in lanes])
        return began, lanes
