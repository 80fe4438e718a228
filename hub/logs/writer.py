"""The thread that writes the log. Code that logs never waits for the log's reader: a pager, a pipe or journald may stop
reading."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Protocol

MOST_LINES = 10_000
MOST_BYTES = 8 << 20
"""Bytes of lines that wait to be written. Beyond it new lines are lost, and counted."""
FLUSH_TIMEOUT = 2.0
"""Seconds to wait for the last lines at the end of the process."""


class Destination(Protocol):
    """A destination of log lines: standard error, or the journal."""

    def encode(self, record: logging.LogRecord) -> bytes:
        """Encode a record as an entry. Called in the thread that logs."""

    def send(self, entry: bytes) -> None:
        """Write an entry, and wait as long as it takes. Called in the writer's thread. :raises OSError: it can't be
        written."""


class LogWriter:
    """Takes lines from any thread, and writes them in order, in a thread of its own.

    :ivar lost: lines not written, because too many waited or the write failed. Only grows.
    :param start: starts the thread.
    """

    def __init__(
        self,
        destination: Destination,
        most_lines: int = MOST_LINES,
        most_bytes: int = MOST_BYTES,
        start: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self.destination = destination
        self.lost = 0
        self._most_lines, self._most_bytes = most_lines, most_bytes
        # A finalizer or a signal handler may log at any moment, also within a log call: lock and queue are reentrant.
        self._lock = threading.RLock()
        self._queue: queue.SimpleQueue[bytes | threading.Event | None] = queue.SimpleQueue()
        self._given_lines = self._given_bytes = 0
        self._done_lines = self._done_bytes = 0
        self._told = 0
        self._direct = False
        (start or _start)(self._run)

    def write(self, record: logging.LogRecord) -> None:
        """Queue a record to be written; if too many wait, count it as lost."""
        entry = self.destination.encode(record)
        if self._direct:
            self._send(entry)
            return
        with self._lock:
            if self._fills(1, len(entry)):
                self.lost += 1
                return
            self._given_lines += 1
            self._given_bytes += len(entry)
            self._queue.put(entry)

    def flush(self, timeout: float = FLUSH_TIMEOUT) -> bool:
        """Wait until earlier lines are written. :param timeout: seconds. :returns: false if they are not in time."""
        if self._direct:
            return True
        reached = threading.Event()
        self._queue.put(reached)
        return reached.wait(timeout)

    def stop(self) -> None:
        """End the thread, after earlier lines are written."""
        self._queue.put(None)

    def continue_in_child(self) -> None:
        """Continue in a process that was just forked: the thread and the waiting lines are the parent's. The child
        writes its lines directly in the thread that logs."""
        self._lock = threading.RLock()
        self._direct = True

    def _fills(self, lines: int, size: int) -> bool:
        waiting = self._given_lines - self._done_lines
        # A line larger than the limit is accepted if no other one waits.
        too_large = self._given_bytes - self._done_bytes + size > self._most_bytes
        return waiting + lines > self._most_lines or (waiting > 0 and too_large)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, threading.Event):
                self._tell_lost()
                item.set()
                continue
            self._send(item)
            self._done_lines += 1
            self._done_bytes += len(item)
            if not self._fills(self._most_lines // 2, self._most_bytes // 2):
                self._tell_lost()

    def _send(self, entry: bytes) -> None:
        try:
            self.destination.send(entry)
        except Exception:  # noqa: BLE001 - it can only be reported in the count
            with self._lock:
                self.lost += 1

    def _tell_lost(self) -> None:
        """Write the number of lost lines, once there is room again; before that the report would be lost too."""
        if (more := self.lost - self._told) > 0:
            self._told += more
            self._send(self.destination.encode(lines_were_lost(more)))


def lines_were_lost(count: int) -> logging.LogRecord:
    """The line that reports how many lines are missing before it."""
    text = "%d lines of the log were lost: its reader did not keep up, or it could not be written"
    record = logging.LogRecord("hubbub.hub.logs", logging.WARNING, __file__, 0, text, (count,), None)
    record.__dict__["action"] = "lose"
    return record


def _start(run: Callable[[], None]) -> None:
    # A daemon: a reader that stopped must not keep the process alive.
    threading.Thread(target=run, name="hubbub-log", daemon=True).start()
