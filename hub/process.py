"""The daemon's process: signals, the reactor, and the exit code."""

from __future__ import annotations

import faulthandler
import gc
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from hub.children import Children, Detach
from hub.configuration.exposure import exposures
from hub.configuration.schema import Configuration
from hub.descriptors import Descriptors
from hub.errors import PASSING, ConfigError, HubError
from hub.garbage import GC_THRESHOLD
from hub.leaving import Leaving
from hub.logs.logs import configure, continue_in_child, flush
from hub.partlog import part_log
from hub.periodic import Periodic
from hub.resident import give_back_large_blocks
from hub.service import Service
from hub.signals import Handler, Signals
from hub.systemd import Notifier
from hub.text import printable
from hub.trust import Trust

EX_OK, EX_UNAVAILABLE, EX_SOFTWARE, EX_CONFIG = 0, os.EX_UNAVAILABLE, os.EX_SOFTWARE, os.EX_CONFIG
EX_IOERR = os.EX_IOERR

STACK = 8 << 20
"""Bytes of stack for each thread, Linux' usual limit. Publishers control the nesting of JSON, and a decoder stops at
its own limit, which may overflow a smaller stack and kill the process. Unused stack takes no memory."""
LAST_WORDS = 0.2
"""Seconds for the last log lines after a second stop signal."""
LOOK_EVERY = 1.0
"""Seconds between two checks for free file descriptors."""


def reserve_stack() -> None:
    """Set :data:`STACK` for this thread and later ones, whatever limit the hub was started with."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if soft != resource.RLIM_INFINITY and soft < STACK:
        wanted = STACK if hard == resource.RLIM_INFINITY else min(STACK, hard)
        resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))
    threading.stack_size(STACK)


class Process:
    """Runs a hub until it is told to stop.

    SIGTERM and SIGINT stop it in order; a second one ends the process immediately, by the same signal. SIGHUP reloads.
    """

    def __init__(self, load: Callable[[], Configuration], reactor: Any, notifier: Notifier) -> None:
        self._load = load
        self._reactor = reactor
        self._notifier = notifier
        self._log = part_log("hub", "process")
        self._exit = EX_OK
        self._stopping = False
        self._service: Service | None = None
        stop, reload = self._on_stop_signal, lambda *_: reactor.callFromThread(self._reload)
        handlers: dict[signal.Signals, Handler] = {signal.SIGTERM: stop, signal.SIGINT: stop, signal.SIGHUP: reload}
        self._signals = Signals(handlers, self._log)

    def run(self) -> int:
        """Run the hub until it has stopped.

        :returns: the exit code, after sysexits.
        :raises ConfigError: the configuration is invalid; nothing was started.
        """
        gc.set_threshold(GC_THRESHOLD)
        gc.freeze()  # what was imported so far stays: no collection looks through it
        gc.enable()
        configuration = self._load()
        hub = configuration.hub
        self._log_writer = configure(hub.log_level, hub.log_to, hub.log_format, hub.log_levels)
        for warning in exposures(configuration, Trust.now()):
            self._log.warning("%s", printable(warning), extra={"action": "expose"})
        # Twisted's reactor uses the wall clock: after a step back all timers would stall for that long, the watchdog's
        # too.
        self._reactor.seconds = time.monotonic
        give_back_large_blocks()
        reserve_stack()
        sys.setswitchinterval(configuration.hub.switch_interval)
        faulthandler.enable()  # the watchdog's SIGABRT prints all stacks, even if a thread holds the GIL
        self._signals.install()
        self._service = Service(configuration, self._reactor, self._notifier, self._load, on_fatal=self._end)
        Children(self._reactor, continue_in_child, self._release).watch()
        periodic = Periodic(self._reactor, self._log)
        periodic.begin(Descriptors(self._log, self._reactor).look, LOOK_EVERY)
        periodic.begin(self._signals.look, LOOK_EVERY)
        self._reactor.callWhenRunning(self._start)
        self._reactor.run(installSignalHandlers=False)
        flush(final=True)
        Leaving(self._log, self._log_writer.flush).begin(self._exit)
        return self._exit

    def _start(self) -> None:
        assert self._service is not None
        self._service.start().addErrback(self._failed_to_start)

    def _release(self, detach: Detach) -> None:
        """Close in a forked child what would keep the next hub from starting."""
        if self._service is not None:
            detach(self._service.lock.descriptor)
            self._service.parts.release(detach)

    def _on_stop_signal(self, number: int, _frame: object) -> None:
        if self._stopping:
            self._log_writer.flush(LAST_WORDS)
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self._stopping = True
        self._signals.arm(signal.Signals(number))
        self._reactor.callFromThread(self._stop)

    def _end(self, reason: str) -> None:
        """End the process immediately: the state of the disk is not known, and the next start checks it."""
        self._log.critical("the store failed, the hub ends: %s", reason, extra={"action": "stop"})
        self._exit = EX_IOERR
        if not self._stopping:
            self._reactor.stop()

    def _stop(self) -> Deferred[None]:
        assert self._service is not None
        stopping: Deferred[None] = self._service.stop()
        return stopping.addErrback(self._bug).addBoth(lambda _: self._reactor.stop())

    def _failed_to_start(self, failure: Any) -> Deferred[None]:
        error = failure.value
        self._exit = EX_SOFTWARE
        if isinstance(error, HubError):
            self._exit = EX_CONFIG if isinstance(error, ConfigError) else EX_UNAVAILABLE
            for line in str(error).splitlines():
                self._log.error("%s", line, extra={"action": "start"})
        elif isinstance(error, OSError) and error.errno in PASSING:
            self._exit = EX_IOERR
            self._log.error("%s", error, extra={"action": "start"})
        else:
            self._bug(failure)
        return self._stop()

    def _bug(self, failure: Any) -> None:
        self._exit = EX_SOFTWARE
        trace = (failure.type, failure.value, failure.getTracebackObject())
        self._log.error("internal error", exc_info=trace, extra={"action": "bug"})

    def _reload(self) -> None:
        assert self._service is not None
        audit = self._service.audit

        def refused(failure: Any) -> None:
            if not isinstance(failure.value, HubError):
                self._bug(failure)
            for line in str(failure.value).splitlines():
                self._log.error("reload refused: %s", line, extra={"action": "reload"})
            audit.note("SIGHUP", "reload", None, f"refused: {failure.value}")

        self._service.reload().addCallbacks(lambda _: audit.note("SIGHUP", "reload", None, "done"), refused)
