"""The manager of a hub's exporters, each with a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Generator, Mapping
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks

from hub.children import other_code
from hub.configuration.schema import Part
from hub.failure import told
from hub.interfaces import Exporter, ExporterContext
from hub.partlog import PartLog, part_log
from hub.parts.former_counts import FormerCounts
from hub.parts.manager import Manager
from hub.parts.resources import Resources
from hub.parts.waiting import all_set, within
from hub.status.catalogue import exported
from hub.tracing import Tracing
from hub.workers.callback_event import CallbackEvent
from hub.workers.crew import Spawn, spawn

STOP_TIMEOUT = 2.0
"""Seconds for exporters that a reload replaces to send the last numbers."""


class Exporters(Manager[Exporter]):
    """Runs the exporters; see :class:`hub.parts.manager.Manager`.

    :param snapshot: makes the status document, with the rows that are exported.
    :param loop: makes a call periodically, given the interval in seconds; its result has ``stop()``.
    :param tracing: is offered each exporter, which may have a tracer.
    """

    def __init__(
        self,
        snapshot: Callable[[], Mapping[str, Any]],
        loop: Callable[[Callable[[], object], float], Any],
        tracing: Tracing,
        reactor: Any,
    ) -> None:
        super().__init__()
        self.threads: dict[str, ExportThread] = {}
        self._snapshot = snapshot
        self._loop = loop
        self._tracing = tracing
        self._reactor = reactor
        self._loops: dict[str, Any] = {}
        self._former = FormerCounts("exporters")
        self._log = part_log("hub", "exporters")

    @classmethod
    def of(cls, hub: Resources) -> Exporters:
        """Make the manager for a hub."""
        return cls(lambda: exported(hub.snapshot()), hub.periodic.begin, hub.runtime.tracing, hub.reactor)

    def prepare(self, part: Part) -> Exporter:
        """Make the instance of a part."""
        context = ExporterContext(part.name, part.config, part.settings.interval, part_log("exporter", part.name))
        exporter: Exporter = part.plugin.make(f"exporters.{part.name}", context)
        return exporter

    def start(self, part: Part, prepared: Exporter) -> None:
        """Start exporting. :raises RuntimeError: no thread can be started."""
        thread = ExportThread(part.name, prepared, part_log("exporter", part.name))
        self.threads[part.name], self.parts[part.name] = thread, part
        self._loops[part.name] = self._loop(lambda: thread.offer(self._snapshot()), part.settings.interval)
        self._tracing.adopt(part.name, prepared)
        thread.offer(self._snapshot())  # the first numbers, without waiting for an interval

    @inlineCallbacks
    def retire(self, names: Collection[str]) -> Generator[Deferred[Any], Any, None]:
        """Stop parts that change or go."""
        leaving = {name: self._end(name) for name in names if name in self.threads}
        yield self._gone(leaving.values(), STOP_TIMEOUT)
        for name, thread in leaving.items():
            self._former.keep(name, thread.status())

    @inlineCallbacks
    def stop(self, timeout: float) -> Generator[Deferred[Any], Any, None]:
        """Stop all parts."""
        yield self._gone([self._end(name) for name in list(self.threads)], timeout)

    def _gone(self, leaving: Collection[ExportThread], timeout: float) -> Deferred[bool]:
        return within(self._reactor, all_set([thread.gone for thread in leaving], self._reactor), timeout)

    def _end(self, name: str) -> ExportThread:
        """Let an exporter send the last numbers, and close it."""
        self._loops.pop(name).stop()
        thread = self.threads.pop(name)
        del self.parts[name]
        self._tracing.drop(name)
        try:
            thread.offer(self._snapshot())
        except Exception as error:  # noqa: BLE001 - a failing status must not keep the hub from ending
            self._log.error("the last numbers could not be made", exc_info=error, extra={"action": "export"})
        finally:
            thread.close()
        return thread

    def status(self) -> dict[str, Any]:
        """Status rows of the running parts."""
        return {name: self._former.added(name, thread.status()) for name, thread in self.threads.items()}


class ExportThread:
    """An exporter and its thread. ``offer`` never waits: a snapshot that the exporter had no time for is replaced by
    the next one, and counted.

    :ivar exported: snapshots sent.
    :ivar failed: snapshots on which the exporter raised.
    :ivar skipped: snapshots replaced before they were sent.
    :ivar gone: set when its thread ends.
    """

    def __init__(self, name: str, exporter: Exporter, log: PartLog, spawn: Spawn = spawn) -> None:
        self.exported = self.failed = self.skipped = 0
        self.last_error = ""
        self.exporter = exporter
        self._log = log
        self._changed = threading.Condition()
        self._next: Mapping[str, Any] | None = None
        self._closing = False
        self.gone = CallbackEvent()
        spawn(self._run, f"hubbub-export-{name}")

    def offer(self, snapshot: Mapping[str, Any]) -> None:
        """Pass a snapshot to the thread."""
        with self._changed:
            self.skipped += self._next is not None
            self._next = snapshot
            self._changed.notify()

    def close(self) -> None:
        """Let the thread export the last snapshot, then close the exporter; returns immediately."""
        with self._changed:
            self._closing = True
            self._changed.notify()

    def status(self) -> dict[str, Any]:
        """The exporter's row in the status."""
        counts = {"exported": self.exported, "failed": self.failed, "skipped": self.skipped}
        return {**counts, "last_error": self.last_error or None}

    def _run(self) -> None:
        while (snapshot := self._wait()) is not None:
            self._export(snapshot)
        try:
            with other_code():
                self.exporter.close()
        except BaseException as error:  # noqa: BLE001 - as in _export
            self._log.error("close() failed", exc_info=error, extra={"action": "close"})
        finally:
            self.gone.set()

    def _wait(self) -> Mapping[str, Any] | None:
        with self._changed:
            while self._next is None and not self._closing:
                self._changed.wait()
            snapshot, self._next = self._next, None
            return snapshot

    def _export(self, snapshot: Mapping[str, Any]) -> None:
        try:
            with other_code():
                self.exporter.export(snapshot)
        except BaseException as error:  # noqa: BLE001 - a plugin's code: the thread continues
            self.failed += 1
            if not self.last_error:
                # A receiver that is away is not a bug: a traceback would not help.
                trace = None if isinstance(error, OSError) else error
                text = "the numbers could not be exported: %s"
                self._log.error(text, told(error), exc_info=trace, extra={"action": "export"})
            self.last_error = told(error)
        else:
            self.exported += 1
            if self.last_error:
                self._log.info("exporting again", extra={"action": "export"})
            self.last_error = ""
