"""The thread that writes the log. Who logs never waits for who reads: a pager, a pipe, journald may stop reading."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Protocol

MOST_LINES = 10_000
MOST_BYTES = 8 << 20
"""Of lines that wait to be written. One that comes when there are more is lost, and counted."""
FLUSH_TIMEOUT = 2.0
"""Seconds that the end of the process waits for the last lines."""


class Destination(Protocol):
    """Where log lines go: standard error, or the journal."""

    def encode(self, record: logging.LogRecord) -> bytes:
        """What is written for that record. In the thread that logs."""

    def send(self, entry: bytes) -> None:
        """Write it, however long that takes. In the writer's thread. :raises OSError: it can't be written."""


class LogWriter:
    """Takes lines from any thread, and writes them in one of its own, in the order in which they came.

    :ivar lost: lines that were not written: too many waited, or they could not be written. Only grows.
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
        # A finalizer or a signal's handler may log at any moment, also while this thread is about to: both the lock and
        # the queue may be entered again.
        self._lock = threading.RLock()
        self._queue: queue.SimpleQueue[bytes | threading.Event | None] = queue.SimpleQueue()
        self._given_lines = self._given_bytes = 0
        self._done_lines = self._done_bytes = 0
        self._told = 0
        self._direct = False
        (start or _start)(self._run)

    def write(self, record: logging.LogRecord) -> None:
        """Have it written soon; or count it as lost, where too many wait."""
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
        """Wait until what was logged before is written, so many seconds at the most. :returns: whether it is."""
        if self._direct:
            return True
        reached = threading.Event()
        self._queue.put(reached)
        return reached.wait(timeout)

    def stop(self) -> None:
        """End the thread, after what was logged before."""
        self._queue.put(None)

    def continue_in_child(self) -> None:
        """In a process that was just forked: the thread is the parent's, and so are the lines that wait. What the child
        logs is written at once, by whoever logs it."""
        self._lock = threading.RLock()
        self._direct = True

    def _fills(self, lines: int, size: int) -> bool:
        waiting = self._given_lines - self._done_lines
        # One line that is larger than all that may wait is taken if nothing else waits.
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
        except Exception:  # noqa: BLE001 - there is nowhere to tell it but in the count
            with self._lock:
                self.lost += 1

    def _tell_lost(self) -> None:
        """Once there is room again: told of for every line that was lost before it would be lost as well."""
        if (more := self.lost - self._told) > 0:
            self._told += more
            self._send(self.destination.encode(lines_were_lost(more)))


def lines_were_lost(count: int) -> logging.LogRecord:
    """The line that tells how many lines are missing before it."""
    text = "%d lines of the log were lost: whoever reads it did not keep up, or it could not be written"
    record = logging.LogRecord("hubbub.hub.logs", logging.WARNING, __file__, 0, text, (count,), None)
    record.__dict__["action"] = "lose"
    return record


def _start(run: Callable[[], None]) -> None:
    # A daemon: a reader that has stopped must not keep a process alive that was told to exit.
    threading.Thread(target=run, name="hubbub-log", daemon=True).start()
