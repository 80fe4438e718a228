"""The end of the process: whoever keeps it from ending is named, and then it ends all the same."""

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
"""Seconds for what a consumer has left running: threads of a pool that was not shut down, child processes."""
LAST_OUTPUT = 1.0
"""Seconds for what is left to be printed."""


class Leaving:
    """Python waits for all threads that are no daemons, and for child processes, without end.

    :param flush: has the log written, within a bound.
    :param end: ends the process at once.
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
        """The hub has stopped. In the main thread, which then ends with that exit code; what keeps it from that is
        ended with it."""
        threading.Thread(target=self._wait, args=(code,), name="hubbub-leaving", daemon=True).start()
        # As the interpreter does at its end, so that what these print is out before there is no output any more.
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        if not flushed(LAST_OUTPUT):
            self._log.warning("nobody reads standard output: what was printed last is lost", extra={"action": "stop"})
            self._flush()
        # The interpreter would flush them, and abort where a daemon, such as a thread of a consumer that hangs, is in a
        # print(): it holds the lock, and goes on no more.
        sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = None  # type: ignore[misc]

    def _wait(self, code: int) -> None:
        threading.Event().wait(self._patience)  # a process that ends takes this thread with it
        for who in list(left_running()) or [_what_the_end_does()]:
            self._log.warning("%s keeps the process from ending: it is ended", who, extra={"action": "stop"})
        for child in multiprocessing.active_children():
            child.terminate()
        self._flush()
        self._end(code)


def left_running() -> Iterator[str]:
    """Threads and child processes that Python waits for, each with where it is."""
    # A pool that was made in a worker, a daemon, has daemons; Python waits for those of a pool all the same.
    pooled = set(getattr(concurrent.futures.thread, "_threads_queues", ()))
    for thread in threading.enumerate():
        if thread is threading.main_thread() or (thread.daemon and thread not in pooled):
            continue
        yield f"thread {thread.name}, in {_place_of(thread)},"
    for child in multiprocessing.active_children():
        if not child.daemon:
            yield f"child process {child.name}, with pid {child.pid},"


def _what_the_end_does() -> str:
    """It is in the main thread that something is waited for: a function of ``atexit``."""
    return f"what is to be done at the end, in {_place_of(threading.main_thread())},"


def _place_of(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    places = [f"{found.filename}, line {found.lineno}" for found in traceback.extract_stack(frame)[-1:]]
    return "".join(places) or "no frame"


def flushed(timeout: float) -> bool:
    """Whether all that was printed is out, within so many seconds. What nobody will ever read is forgotten."""
    thread = threading.Thread(target=_flush_output, name="hubbub-output", daemon=True)
    thread.start()
    thread.join(timeout)
    return not thread.is_alive()


def _flush_output() -> None:
    for output in (sys.stdout, sys.stderr):
        # It breaks where nobody will ever read it, there is none, it is closed, or its disk is full.
        with suppress(AttributeError, ValueError, OSError):
            output.flush()
