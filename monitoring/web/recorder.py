"""Keeps the history and the spikes: notes the numbers at each beat, and has them written to the disk now and then."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from copy import copy
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from hub.interfaces import Clock
from hub.monitoring.web.aside import Aside
from hub.monitoring.web.history import History, Row, View
from hub.monitoring.web.history_file import Damaged, HistoryFile, Kept
from hub.monitoring.web.pulse import Frame
from hub.monitoring.web.spikes import Spike, Spikes

EVERY = 10
"""Beats between two writes: what a crash of the hub costs at most, in seconds of curves."""
MOST_WAITING = 1000
"""Rows that wait for a disk that does not take them; the oldest go."""


Changed = dict[tuple[str, float], tuple[str, Spike]]
"""Spikes that are to be written, by queue and start."""


class Recorder:
    """Lives in the reactor's thread; the file has one of its own. Where the file can't be used, a restart forgets the
    history, and that is all.

    :param wall: epoch seconds.
    :ivar state: ``loading``, ``ok``, or ``not kept``: then ``error`` says why.
    """

    def __init__(
        self,
        file: HistoryFile,
        aside: Aside,
        spike_from: int,
        wall: Clock,
        log: logging.LoggerAdapter[logging.Logger],
    ) -> None:
        self.state = "loading"
        self.error: str | None = None
        self._file = file
        self._aside = aside
        self._wall = wall
        self._log = log
        self._history = History()
        self._spikes = Spikes(spike_from)
        self._rows: deque[Row] = deque(maxlen=MOST_WAITING)
        self._changed: Changed = {}
        self._beats = 0
        self._saving = False
        self._waiting: list[Deferred[None]] = []

    def start(self) -> None:
        """Load what was kept. What is sampled before that is over is not noted: it takes a moment."""
        self._aside.do(self._load).addCallbacks(self._loaded, self._failed).addBoth(self._let_in)

    def loaded(self) -> Deferred[None]:
        """Fires when what was kept is there to be seen, or can't be."""
        done: Deferred[None] = Deferred()
        if self.state == "loading":
            self._waiting.append(done)
        else:
            done.callback(None)
        return done

    def beat(self, frame: Frame | None) -> None:
        """Note the numbers."""
        if frame is None or self.state == "loading":
            return
        consumers = frame.snapshot["consumers"]
        self._rows.extend(self._history.sample(frame.time, frame.moment, consumers))
        self._change(self._spikes.sample(frame.time, consumers))
        self._beats += 1
        if self._beats % EVERY == 0:
            self._save()

    def close(self) -> Deferred[None]:
        """Write what is not written; fires when the file is let go of."""
        if self.state != "loading":
            self._rows.extend(self._history.close())
            self._saving = False
            self._save()
        self._aside.do(self._file.close).addErrback(lambda _: None)
        return self._aside.close()

    def view(self, span: int, name: str | None) -> View | None:
        """The last ``span`` seconds of one queue, or of all. ``None``: there is no queue of that name."""
        names = [] if self.state == "loading" else self._history.names()
        if name is None:
            return self._history.view(span, names)
        return self._history.view(span, [name]) if name in names else None

    def spikes(self, name: str) -> list[Spike]:
        """Of one queue, the newest first."""
        return self._spikes.of(name)

    def status(self) -> dict[str, Any]:
        """For the status of the server."""
        return {"state": self.state, "error": self.error}

    def _load(self) -> list[Row]:
        """In the file's thread. Nobody else touches the history until it is over."""
        try:
            kept = self._file.load()
        except Damaged as error:
            self._begin_anew(error)
            kept = Kept([], [])
        self._spikes.restore(kept.spikes)
        return self._history.restore(kept.rows, self._wall())

    def _loaded(self, made: list[Row]) -> None:
        self.state = "ok"
        self._rows.extend(made)

    def _let_in(self, _: object) -> None:
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done.callback(None)

    def _failed(self, failure: Failure) -> None:
        if self.state != "not kept":
            self._log.warning(
                "the history will not outlast the hub: %s", failure.getErrorMessage(), extra={"action": "history"}
            )
        self.state, self.error = "not kept", f"{type(failure.value).__name__}: {failure.getErrorMessage()}"

    def _change(self, spikes: Iterable[tuple[str, Spike]]) -> None:
        for name, spike in spikes:
            self._changed[name, spike.started_at] = (name, spike)
        while len(self._changed) > MOST_WAITING:
            del self._changed[next(iter(self._changed))]

    def _save(self) -> None:
        """Unless the last rows are still being written: then at the next time."""
        if self._saving or not (self._rows or self._changed):
            return
        self._saving = True
        rows, changed = list(self._rows), dict(self._changed)
        self._rows.clear()
        self._changed.clear()
        done = self._aside.do(self._write, rows, [(name, copy(spike)) for name, spike in changed.values()])
        done.addCallbacks(self._saved, self._not_saved, errbackArgs=(rows, changed))

    def _write(self, rows: list[Row], spikes: list[tuple[str, Spike]]) -> None:
        """In the file's thread."""
        try:
            self._file.save(rows, spikes)
        except Damaged as error:
            self._begin_anew(error)
            self._file.save(rows, spikes)

    def _begin_anew(self, error: Damaged) -> None:
        """In the file's thread."""
        aside = self._file.set_aside()
        self._log.warning(
            "the history was damaged, a new one begins; the old one is %s now: %s",
            *(aside, error),
            extra={"action": "history"},
        )

    def _saved(self, _: object) -> None:
        self._saving = False
        if self.state != "ok":
            self._log.info("the history is kept again", extra={"action": "history"})
        self.state, self.error = "ok", None

    def _not_saved(self, failure: Failure, rows: list[Row], changed: Changed) -> None:
        self._saving = False
        self._failed(failure)
        self._rows = deque([*rows, *self._rows], maxlen=MOST_WAITING)
        self._changed = {**changed, **self._changed}
