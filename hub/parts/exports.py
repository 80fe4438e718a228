"""Gives each exporter the numbers, in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks

from hub.children import other_code
from hub.configuration.schema import Part
from hub.failure import told
from hub.interfaces import Exporter, ExporterContext
from hub.partlog import PartLog, part_log
from hub.parts.patience import wait_for
from hub.tracing import Tracing
from hub.workers.crew import Spawn, spawn

EXPORT_TIMEOUT = 2.0
"""Seconds for the exporters to send the numbers for the last time."""


class Exports:
    """The exporters of a running hub. Belongs to the reactor's thread.

    :ivar parts: what those that run were made of.
    :param snapshot: gives the numbers.
    :param loop: has a call made every so many seconds; what it returns has ``stop()``.
    :param tracing: is told of each, for one of them may trace.
    """

    def __init__(
        self,
        snapshot: Callable[[], Mapping[str, Any]],
        loop: Callable[[Callable[[], object], float], Any],
        tracing: Tracing,
    ) -> None:
        self.threads: dict[str, ExportThread] = {}
        self.parts: dict[str, Part] = {}
        self._leaving: list[ExportThread] = []
        self._snapshot = snapshot
        self._loop = loop
        self._tracing = tracing
        self._loops: dict[str, Any] = {}
        self._log = part_log("hub", "exports")

    def make(self, part: Part) -> Exporter:
        """:raises ConfigError: it can't be made."""
        context = ExporterContext(part.name, part.config, part.settings.interval, part_log("exporter", part.name))
        exporter: Exporter = part.plugin.make(f"exporters.{part.name}", context)
        return exporter

    def start(self, part: Part, exporter: Exporter) -> None:
        """Give it the numbers from now on. :raises RuntimeError: there is no thread to be had."""
        thread = ExportThread(part.name, exporter, part_log("exporter", part.name))
        self.threads[part.name], self.parts[part.name] = thread, part
        self._loops[part.name] = self._loop(lambda: thread.offer(self._snapshot()), part.settings.interval)
        self._tracing.adopt(part.name, exporter)
        thread.offer(self._snapshot())  # whoever waits for the first numbers need not wait for an interval

    @inlineCallbacks
    def apply(
        self, parts: Mapping[str, Part], made: Mapping[str, Exporter], removed: Iterable[str], reactor: Any
    ) -> Generator[Deferred[Any], Any, list[str]]:
        """A reload: stop those that go or change, start what was made.

        :returns: a line for each that could not be started.
        """
        self.stop([*removed, *made])
        yield wait_for(reactor, lambda: self.gone, EXPORT_TIMEOUT)
        problems: list[str] = []
        for name, exporter in made.items():
            try:
                self.start(parts[name], exporter)
            except Exception as error:  # noqa: BLE001 - somebody else's code: a reload must come to its end
                problems.append(f"exporters.{name}: {told(error)}")
        return problems

    def stop(self, names: Iterable[str]) -> None:
        """Have those of them that run export once more, and close; ``gone`` tells when they have."""
        for name in [name for name in names if name in self.threads]:
            self._loops.pop(name).stop()
            thread = self.threads.pop(name)
            del self.parts[name]
            self._tracing.drop(name)
            self._leaving.append(thread)
            try:
                thread.offer(self._snapshot())
            except Exception as error:  # noqa: BLE001 - one that can't tell its numbers must not keep the hub from ending
                self._log.error("there are no numbers to export", exc_info=error, extra={"action": "export"})
            finally:
                thread.close()

    @property
    def gone(self) -> bool:
        """Whether all that were stopped have ended."""
        self._leaving = [thread for thread in self._leaving if not thread.gone]
        return not self._leaving

    def status(self) -> dict[str, Any]:
        """Of each."""
        return {name: thread.status() for name, thread in self.threads.items()}


class ExportThread:
    """One exporter and its thread. ``offer`` never waits: a snapshot that the exporter had no time for is replaced
    by the next one, and counted.

    :ivar exported: snapshots that were sent.
    :ivar failed: snapshots that the exporter raised on.
    :ivar skipped: snapshots that it had no time for.
    """

    def __init__(self, name: str, exporter: Exporter, log: PartLog, spawn: Spawn = spawn) -> None:
        self.exported = self.failed = self.skipped = 0
        self.last_error = ""
        self.exporter = exporter
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
            with other_code():
                self.exporter.close()
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
            with other_code():
                self.exporter.export(snapshot)
        except BaseException as error:  # noqa: BLE001 - somebody else's code: the thread goes on
            self.failed += 1
            if not self.last_error:
                # A receiver that is away is nobody's bug: its traceback would say nothing.
                trace = None if isinstance(error, OSError) else error
                text = "the numbers could not be exported: %s"
                self._log.error(text, told(error), exc_info=trace, extra={"action": "export"})
            self.last_error = told(error)
        else:
            self.exported += 1
            if self.last_error:
                self._log.info("exporting again", extra={"action": "export"})
            self.last_error = ""
