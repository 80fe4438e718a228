"""Ends the process: logs what keeps it from ending, then ends it anyway."""

from __future__ import annotations

import atexit
import concurrent.futures.thread
import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress

from hub.partlog import PartLog

PATIENCE = 2.0
"""Seconds to wait for threads and child processes that a consumer left running."""
LAST_OUTPUT = 1.0
"""Seconds to wait for buffered output."""


class Leaving:
    """Bounds the end of the process: Python itself waits forever for non-daemon threads and child processes.

    :param flush: writes the log out, in bounded time.
    :param end: ends the process immediately.
    """

    def __init__(
        self,
        log: PartLog,
        flush: Callable[[], object],
        patience: float = PATIENCE,
        end: Callable[[int], object] = os._exit,
    ) -> None:
        self._log = log
        self._flush = flush
        self._patience = patience
        self._end = end

    def begin(self, code: int) -> None:
        """End the process with an exit code, after the hub has stopped. Called in the main thread, which then returns;
        what still runs after the patience is ended with the process."""
        threading.Thread(target=self._wait, args=(code,), name="hubbub-leaving", daemon=True).start()
        # Same steps as the interpreter's own end, so that their output is written while there is still an output.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        if not flushed(LAST_OUTPUT):
            self._log.warning("nobody reads standard output: the last output is lost", extra={"action": "stop"})
            self._flush()
        # The interpreter would flush them, and abort if a daemon thread, such as a hung consumer's, is in a print():
        # that thread holds the lock, and never continues.
        sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None  # type: ignore[misc]

    def _wait(self, code: int) -> None:
        threading.Event().wait(self._patience)  # a daemon: it ends with the process
        for who in list(left_running()) or [_what_the_end_does()]:
            self._log.warning("%s keeps the process from ending: it is terminated", who, extra={"action": "stop"})
        for child in multiprocessing.active_children():
            child.terminate()
        self._flush()
        self._end(code)


def left_running() -> Iterator[str]:
    """Describe the threads and child processes that Python waits for, each with its place in the code."""
    # A pool made in a worker, a daemon, has daemon threads; Python waits for a pool's threads all the same.
    pooled = set(getattr(concurrent.futures.thread, "_threads_queues", ()))
    for thread in threading.enumerate():
        if thread is threading.main_thread() or (thread.daemon and thread not in pooled):
            continue
        yield f"thread {thread.name}, in {_place_of(thread)},"
    for child in multiprocessing.active_children():
        if not child.daemon:
            yield f"child process {child.name}, with pid {child.pid},"


def _what_the_end_does() -> str:
    """Describe what the main thread waits for: a function of ``atexit``."""
    return f"an atexit function, in {_place_of(threading.main_thread())},"


def _place_of(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    places = [f"{found.filename}, line {found.lineno}" for found in traceback.extract_stack(frame)[-1:]]
    return "".join(places) or "no frame"


def flushed(timeout: float) -> bool:
    """Wait until all output is written. Output that nobody can read is discarded. :param timeout: seconds. :returns:
    false if it is not written in time."""
    thread = threading.Thread(target=_flush_output, name="hubbub-output", daemon=True)
    thread.start()
    thread.join(timeout)
    return not thread.is_alive()


def _flush_output() -> None:
    for output in (sys.stdout, sys.stderr):
        # Fails if the reader is gone, there is no output, it is closed, or its disk is full.
        with suppress(AttributeError, ValueError, OSError):
            output.flush()
