"""Child processes that a consumer forks (``os.fork``, ``multiprocessing``): they let go of what is the hub's.

A forked child has copies of all file descriptors, of the signal handlers, and of the thread that forked it. Without
this it would hold the hub's lock, its sockets and its ports for as long as it lives, ignore SIGTERM, and go on as a
second worker once it comes back from the call that forked it. What is run by ``exec`` (``subprocess``) is not
concerned: the kernel does all this for it.
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
"""In a child its process id, in the hub empty: the cheapest question whether this is a child."""
DEFAULTS: dict[signal.Signals, Any] = {
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
    signal.SIGHUP: signal.SIG_DFL,
}
"""What Python has for the signals that the hub handles."""
Detach = Callable[[int], None]


@contextmanager
def other_code() -> Iterator[None]:
    """Around a call of a plugin: a child process that was forked in it ends where it would come back to the hub."""
    try:
        yield
    except BaseException as error:
        if forked:
            leave(error)
        raise
    if forked:
        leave()


def leave(error: BaseException | None = None) -> NoReturn:
    """End this child, as Python ends a program. :param error: what it raised."""
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
    """Close it for this process. Its number stays taken: an object that does not know of it may close it once more."""
    with suppress(OSError):
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.dup2(nothing, descriptor, inheritable=False)
        finally:
            os.close(nothing)


class Children:
    """Belongs to one process, the hub's. Made in the reactor's thread.

    :param log: has the log go on in a child.
    :param release: has the hub's parts let go of what else a child inherited, by calling what it is given with each
        file descriptor.
    """

    def __init__(self, reactor: Any, log: Callable[[], None], release: Callable[[Detach], None]) -> None:
        self._reactor = reactor
        self._thread = threading.get_ident()
        self._log = log
        self._release = release
        self._masks = threading.local()

    def watch(self) -> None:
        """From now on, for as long as the process lives."""
        os.register_at_fork(before=self._hold_signals, after_in_parent=self._let_signals, after_in_child=self.in_child)

    def _hold_signals(self) -> None:
        """A signal that comes to a child before it has its own handlers would be lost: Python forgets, in a child,
        those that came. Held back, it waits."""
        self._masks.before = signal.pthread_sigmask(signal.SIG_BLOCK, DEFAULTS)

    def _let_signals(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._masks.before)

    def in_child(self) -> None:
        """In a child, in the thread that forked it, before anything else."""
        forked.append(os.getpid())
        for step in (self._restore_signals, self._log, self._detach_from_reactor, lambda: self._release(detach)):
            try:
                step()
            except Exception as error:  # noqa: BLE001 - the other steps matter no less
                text = "a child process could not let go of all that is the hub's"
                part_log("hub", "children").error(text, exc_info=error, extra={"action": "fork"})
        self._let_signals()

    def _restore_signals(self) -> None:
        for number, handler in DEFAULTS.items():
            signal.signal(number, handler)

    def _detach_from_reactor(self) -> None:
        for one in {*self._reactor.getReaders(), *self._reactor.getWriters()}:
            detach(one.fileno())
        # The kernel's list of what the reactor waits for is one for both processes: a child must not change it.
        poller = getattr(self._reactor, "_poller", None)
        if poller is not None:
            detach(poller.fileno())
        if threading.get_ident() == self._thread:
            for call in self._reactor.getDelayedCalls():
                call.cancel()
            self._reactor.callLater(0, leave)
