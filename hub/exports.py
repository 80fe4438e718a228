"""Gives each exporter the numbers, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from hub.crew import Spawn, spawn
from hub.interfaces import Exporter
from hub.partlog import PartLog


class ExportThread:
    """One exporter and its thread. ``offer`` never waits: a snapshot that the exporter had no time for is replaced
    by the next one, and counted.

    :ivar exported: snapshots that were sent.
    :ivar failed: snapshots that the exporter raised on.
    :ivar skipped: snapshots that it had no time for.
    """

    def __init__(self, name: str, make: Callable[[], Exporter], log: PartLog, spawn: Spawn = spawn) -> None:
        self.exported = self.failed = self.skipped = 0
        self.last_error = ""
        self._exporter = make()
        self._log = log
        self._changed = threading.Condition()
        self._next: Mapping[str, Any] | None = None
        self._closing = False
        self._thread = spawn(self._run, f"hubbub-export-{name}")

    def offer(self, snapshot: Mapping[str, Any]) -> None:
        """Have it exported soon."""
        with self._changed:
            self.skipped += self._next is not None
            self._next = snapshot
            self._changed.notify()

    def close(self) -> None:
        """Export what was offered last, then close the exporter; returns at once."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    @property
    def gone(self) -> bool:
        """Whether its thread has ended."""
        return not self._thread.is_alive()

    def status(self) -> dict[str, Any]:
        """For the status of the hub."""
        counts = {"exported": self.exported, "failed": self.failed, "skipped": self.skipped}
        return {**counts, "last_error": self.last_error or None}

    def _run(self) -> None:
        while (snapshot := self._wait()) is not None:
            self._export(snapshot)
        try:
            self._exporter.close()
        except BaseException as error:  # noqa: BLE001 - as in _export
            self._log.error("close() failed", exc_info=error, extra={"action": "close"})

    def _wait(self) -> Mapping[str, Any] | None:
        with self._changed:
            while self._next is None and not self._closing:
                self._changed.wait()
            snapshot, self._next = self._next, None
            return snapshot

    def _export(self, snapshot: Mapping[str, Any]) -> None:
        try:
            self._exporter.export(snapshot)
        except BaseException as error:  # noqa: BLE001 - somebody else's code: the thread goes on
            self.failed += 1
            if not self.last_error:
                self._log.error("the numbers could not be exported", exc_info=error, extra={"action": "export"})
            self.last_error = f"{type(error).__name__}: {error}"
        else:
            self.exported += 1
            if self.last_error:
                self._log.info("exporting again", extra={"action": "export"})
            self.last_error = ""
