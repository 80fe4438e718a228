"""Child processes that a consumer forks (``os.fork``, ``multiprocessing``) release what belongs to the hub.

A forked child has copies of all file descriptors, of the signal handlers, and of the thread that forked it. Without
this module it would hold the hub's lock, sockets and ports while it lives, ignore SIGTERM, and continue as a second
worker when it returns from the call that forked it. Programs run by ``exec`` (``subprocess``) are not concerned: the
kernel does all this for them.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from hub.partlog import part_log

forked: list[int] = []
"""The process id in a child; empty in the hub. It is the cheapest test for being a child."""
DEFAULTS: dict[signal.Signals, Any] = {
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
    signal.SIGHUP: signal.SIG_DFL,
}
"""Python's own handlers of the signals that the hub handles."""
Detach = Callable[[int], None]


@contextmanager
def other_code() -> Iterator[None]:
    """Wraps a call of a plugin: a child process that was forked in it ends before it returns to the hub."""
    try:
        yield
    except BaseException as error:
        if forked:
            leave(error)
        raise
    if forked:
        leave()


def leave(error: BaseException | None = None) -> NoReturn:
    """End this child, as Python ends a program. :param error: the exception that it raised."""
    code = 0
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if isinstance(error.code, str):
            sys.stderr.write(error.code + "\n")
    elif error is not None:
        code = 1
        text = "a child process that was forked from the hub failed"
        part_log("hub", "children").error(text, exc_info=error, extra={"action": "fork"})
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)


def detach(descriptor: int) -> None:
    """Close a descriptor in this process. Its number stays in use: an object that still holds it may close it again."""
    with suppress(OSError):
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.dup2(nothing, descriptor, inheritable=False)
        finally:
            os.close(nothing)


class Children:
    """Cleans up in the children of one process, the hub. Made in the reactor's thread.

    :param log: makes the log continue in a child.
    :param release: makes the hub's parts release their file descriptors in a child: it calls its argument with each.
    """

    def __init__(self, reactor: Any, log: Callable[[], None], release: Callable[[Detach], None]) -> None:
        self._reactor = reactor
        self._thread = threading.get_ident()
        self._log = log
        self._release = release
        self._masks = threading.local()

    def watch(self) -> None:
        """Register for all forks from now on, while the process lives."""
        os.register_at_fork(before=self._hold_signals, after_in_parent=self._let_signals, after_in_child=self.in_child)

    def _hold_signals(self) -> None:
        """Block signals before a fork: one that arrives in a child before it has its own handlers would be lost,
        because Python clears pending signals in a child. A blocked one waits."""
        self._masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, DEFAULTS)

    def _let_signals(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.before)

    def in_child(self) -> None:
        """Release the hub's resources in a child, in the thread that forked it, before anything else."""
        forked.append(os.getpid())
        for step in (self._restore_signals, self._log, self._detach_from_reactor, lambda: self._release(detach)):
            try:
                step()
            except Exception as error:  # noqa: BLE001 - the other steps matter no less
                text = "a child process could not release all resources of the hub"
                part_log("hub", "children").error(text, exc_info=error, extra={"action": "fork"})
        self._let_signals()

    def _restore_signals(self) -> None:
        for number, handler in DEFAULTS.items():
            signal.signal(number, handler)

    def _detach_from_reactor(self) -> None:
        for one in {*self._reactor.getReaders(), *self._reactor.getWriters()}:
            detach(one.fileno())
        # Both processes share the kernel's epoll list of the reactor: a child must not change it.
        poller = getattr(self._reactor, "_poller", None)
        if poller is not None:
            detach(poller.fileno())
        if threading.get_ident() == self._thread:
            for call in self._reactor.getDelayedCalls():
                call.cancel()
            self._reactor.callLater(0, leave)
