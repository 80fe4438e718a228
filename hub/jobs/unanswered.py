"""Claims whose answer was lost: the database has given jobs to this process, and nobody here knows of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hub.jobs.in_hand import ClaimedJobs
from hub.jobs.storage import Storage

PATIENCE = 1.0
"""Seconds that jobs are not claimed while one waits for the claims under way: one that hangs holds up no other."""


class UnansweredClaims:
    """Notes claims that failed, each of which may have got jobs, and gives those back. Thread-safe.

    A claim of several queues is several transactions, and the connection may break between a commit and its answer. The
    process is alive, and renews the lease of what it does not know of: nobody would ever rescue it.
    """

    def __init__(self, storage: Storage, in_hand: ClaimedJobs) -> None:
        self._storage = storage
        self._in_hand = in_hand
        self._changed = threading.Condition()
        self._under_way = 0
        self._giving_back = False
        self._some = False

    @contextmanager
    def claiming(self) -> Iterator[None]:
        """Claim jobs, and note them as in hand."""
        with self._changed:
            self._changed.wait_for(lambda: not self._giving_back)
            self._under_way += 1
        failed = True
        try:
            yield
            failed = False
        finally:
            with self._changed:
                self._under_way -= 1
                self._some |= failed
                self._changed.notify_all()

    def give_back(self, process: int | None, patience: float = PATIENCE) -> int:
        """Give back what the process has and nobody knows of, if a claim has failed. This counts no attempt.

        Claims under way are waited for first: what they get is known only afterwards. If that takes too long, or the
        database is away, it is done the next time.

        :returns: how many jobs. :raises Unavailable: the database is away or busy.
        """
        with self._changed:
            if process is None or not self._some or self._giving_back:
                return 0
            self._giving_back = True
            alone = self._changed.wait_for(lambda: not self._under_way, patience)
        try:
            if not alone:
                return 0
            given_back = self._storage.give_back_others(process, self._in_hand.claims())
            self._some = False
            return given_back
        finally:
            with self._changed:
                self._giving_back = False
                self._changed.notify_all()
