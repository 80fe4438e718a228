"""Recorder of the history: collects samples and spikes, and writes and reads the history file."""

from __future__ import annotations

import logging
import sqlite3
from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from hub.errors import Unavailable
from hub.interfaces import Clock
from hub.monitoring.web import history
from hub.monitoring.web.history import Growth, Sample
from hub.monitoring.web.history_file import Damaged, HistoryFile, Work, in_memory
from hub.monitoring.web.sampler import Snapshot
from hub.monitoring.web.spikes import Spike, Spikes
from hub.monitoring.web.worker_thread import TOO_MUCH, WorkerThread
from hub.status.rows import stable

EVERY = 10
"""Snapshots between two writes, one a second: a crash of the hub loses the history of that time at most."""
MOST_WAITING = 600
"""Snapshots that may wait for a failing disk; the oldest are dropped."""

Recorded = tuple[list[Sample], list[tuple[str, Spike]]]
"""Record of a snapshot: a sample of each queue, and the spikes that changed."""


class Recorder:
    """Recorder in the reactor's thread; the file is used in the worker's thread. If the file can't be used, only
    the latest snapshots are kept, in memory, and a restart loses them.

    :param wall: returns epoch seconds.
    :ivar state: ``loading``, ``ok``, or ``not kept``: then ``error`` says why.
    """

    def __init__(
        self,
        file: HistoryFile,
        worker: WorkerThread,
        spike_from: int,
        wall: Clock,
        log: logging.LoggerAdapter[logging.Logger],
    ) -> None:
        self.state = "loading"
        self.error: str | None = None
        self._file = file
        self._worker = worker
        self._wall = wall
        self._log = log
        self._growth = Growth()
        self._spikes = Spikes(spike_from)
        self._time: float | None = None
        self._count = 0
        self._writing = False
        self._fresh: deque[Recorded] = deque(maxlen=MOST_WAITING)
        self._unwritten: deque[Recorded] = deque(maxlen=MOST_WAITING)
        """Records to write, used in the worker's thread; ``_fresh`` is used in the reactor's."""

    def start(self) -> None:
        """Open the file. Snapshots are not recorded until it is open."""
        self._do(history.lasting_spikes).addCallback(self._spikes.restore).addErrback(self._failed)

    def record(self, snapshot: Snapshot | None) -> None:
        """Record a snapshot; ``None``, if it could not be taken, leaves a gap."""
        if snapshot is None or self.state == "loading":
            return
        self._time, consumers = snapshot.time, stable(snapshot.status["consumers"])
        samples = self._growth.samples(snapshot.time, snapshot.moment, consumers)
        self._fresh.append((samples, self._spikes.sample(snapshot.time, consumers)))
        self._count += 1
        if self._count % EVERY == 0 and not self._writing and not self._worker.full:
            self._writing = True
            self._do(_nothing).addErrback(self._failed).addBoth(self._written)

    def close(self) -> Deferred[None]:
        """Write all unwritten records. The Deferred fires when the file is closed."""
        if self.state != "loading":
            self._do(_nothing).addErrback(self._failed)
        self._worker.do(self._file.close).addErrback(lambda _: None)
        return self._worker.close()

    def view(self, span: int, name: str | None) -> Deferred[bytes | None]:
        """Read the last ``span`` seconds of one queue, or of all; see :func:`hub.monitoring.web.history.view`.

        :raises Unavailable: (as a failure) too many requests wait; ``spikes`` likewise.
        """
        now = self._wall() if self._time is None else self._time
        return self._do(partial(history.view, span=span, now=now, name=name))

    def spikes(self, name: str) -> Deferred[list[Spike]]:
        """Read the spikes of one queue, the newest first; none of an unknown queue."""
        return self._do(partial(history.spikes_of, name=name))

    def status(self) -> dict[str, Any]:
        """State for the server's status."""
        return {"state": self.state, "error": self.error}

    def _do(self, query: Work[Any]) -> Deferred[Any]:
        """Write the waiting records, then run the query."""
        if self._worker.full:
            return fail(Unavailable(TOO_MUCH))
        fresh, self._fresh = self._fresh, deque(maxlen=MOST_WAITING)
        return self._worker.do(self._work, fresh, query).addCallback(self._worked)

    def _work(self, fresh: Iterable[Recorded], query: Work[Any]) -> tuple[Any, OSError | None]:
        """Write, then run the query, in the worker's thread. A failed write does not prevent reading: with a full disk
        the page must work.

        :returns: the result of the query, and the error of the file.
        """
        self._unwritten.extend(fresh)
        results: list[Any] = []

        def work(connection: sqlite3.Connection) -> None:
            history.add_samples(connection, [sample for samples, _ in self._unwritten for sample in samples])
            history.put_spikes(connection, [spike for _, spikes in self._unwritten for spike in spikes])
            results.append(query(connection))

        try:
            try:
                self._file.transact(work)
            except Damaged as damage:
                self._begin_anew(damage)
                self._file.transact(work)
        except OSError as error:
            if not results:
                with in_memory() as connection:
                    work(connection)
            return results[-1], error
        self._unwritten.clear()
        return results[-1], None

    def _begin_anew(self, damage: Damaged) -> None:
        """Rename the damaged file and start a new one, in the worker's thread."""
        aside = self._file.set_aside()
        self._log.warning(
            "the history was damaged: a new one is started, the old one is %s: %s",
            *(aside, damage),
            extra={"action": "history"},
        )

    def _worked(self, outcome: tuple[Any, OSError | None]) -> Any:
        result, error = outcome
        if error is not None:
            self._fail(error)
            return result
        if self.state == "not kept":
            self._log.info("the history is saved again", extra={"action": "history"})
        self.state, self.error = "ok", None
        return result

    def _written(self, _: object) -> None:
        self._writing = False

    def _failed(self, failure: Failure) -> None:
        self._fail(failure.value)

    def _fail(self, error: object) -> None:
        if self.state != "not kept":
            self._log.warning("the history can't be saved: %s", error, extra={"action": "history"})
        self.state, self.error = "not kept", f"{type(error).__name__}: {error}"


def _nothing(_: sqlite3.Connection) -> None:
    """Query nothing, in a call that only writes."""
