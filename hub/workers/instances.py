"""Instances of a consumer: one that all workers share, or one for each worker."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from hub.children import other_code
from hub.consumer import Consumer, Context
from hub.failure import told
from hub.interfaces import Clock
from hub.workers.answer import call, refuse_unfinished

Log = logging.LoggerAdapter[logging.Logger]
MOST_STATUS = 4096
"""Bytes of JSON that one ``status()`` may return."""
SLOW_STATUS = 0.1
"""Seconds from which a call of ``status()`` is slow: meanwhile nothing is received, and no other status is shown."""
STATUS_REST = 100
"""After a slow call the last answer is shown for so many times as long as it took: slow calls take 1 % of the time."""


def tell_stopping(consumer: Consumer) -> None:
    """Set ``stopping`` of a consumer's context. A class that keeps no context is not told."""
    context = getattr(consumer, "context", None)
    if isinstance(context, Context):
        context.stopping.set()


class Instance:
    """An instance of a consumer. Its ``start`` and ``stop`` are called once each.

    :param monotonic: measures how long ``status`` takes.
    :ivar started: whether ``start`` has returned, and ``stop`` was not called.
    :ivar step: the call in progress, ``start()`` or ``stop()``; or empty.
    """

    def __init__(self, consumer: Consumer, log: Log, monotonic: Clock) -> None:
        self.consumer = consumer
        self._log = log
        self._monotonic = monotonic
        self._answer: Any = None
        self._ask_again = 0.0
        self.started = False
        self.step = ""
        self._lock = threading.Lock()

    def start(self) -> None:
        """Call ``start``. Its exceptions are passed on."""
        self._call(self.consumer.start, "start()")
        self.started = True

    def stop(self) -> None:
        """Call ``stop``, once, if it has started. Its exceptions are passed on."""
        with self._lock:
            started, self.started = self.started, False
        if started:
            self._call(self.consumer.stop, "stop()")

    def _call(self, method: Callable[[], object], step: str) -> None:
        self.step = step
        try:
            call(method)
        finally:
            self.step = ""

    def status(self) -> Any:
        """The answer of ``status``, JSON-able; ``None``: there is none. If the call fails, ``{"error": ...}``. After a
        slow call it is the last answer, for a while."""
        began = self._monotonic()
        if began >= self._ask_again:
            self._answer = self._ask()
            took = self._monotonic() - began
            if took >= SLOW_STATUS:
                self._ask_again = began + took * STATUS_REST
                text = "status() took %.1f s in the thread that receives messages; its answer is shown for %.0f s"
                self._log.warning(text, took, took * STATUS_REST, extra={"action": "status"})
        return self._answer

    def _ask(self) -> Any:
        method: Callable[[], object] = self.consumer.status
        if not callable(method):  # an unrelated attribute of a user's class
            return None
        try:
            with other_code():
                answer = method()
            if answer is None:
                return None
            refuse_unfinished(answer, method)
            encoded = msgspec.json.encode(answer)
            if len(encoded) > MOST_STATUS:
                raise ValueError(f"status() returned {len(encoded)} bytes of JSON; {MOST_STATUS} are shown at most")
            return msgspec.json.decode(encoded)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the hub's status must not fail if a consumer's does
            return {"error": told(error)}


class Instances:
    """All instances of one consumer.

    :param first: the instance of the first worker, or of all.
    :param make: makes the instances of the other workers; ``None``: all workers share the first.
    :param monotonic: measures how long ``status`` takes.
    """

    def __init__(
        self,
        first: Consumer,
        make: Callable[[], Consumer] | None,
        log: Log,
        monotonic: Clock,
    ) -> None:
        self._instance = partial(Instance, log=log, monotonic=monotonic)
        self._all = [self._instance(first)]
        self._make = make
        self._unused = True

    @property
    def shared(self) -> bool:
        """True if all workers share one instance."""
        return self._make is None

    def another(self) -> Instance:
        """The instance for one more worker. Exceptions of its constructor are passed on."""
        if self._make is None or self._unused:
            self._unused = False
            return self._all[0]
        self._all.append(self._instance(self._make()))
        return self._all[-1]

    def started(self) -> list[Instance]:
        """Instances that have started and were not stopped."""
        return [instance for instance in list(self._all) if instance.started]

    def tell_stopping(self) -> None:
        """Tell all instances that they are to end, also those that have not started."""
        for instance in list(self._all):
            tell_stopping(instance.consumer)

    def forget(self, instance: Instance) -> None:
        """Remove the instance of a worker that has ended."""
        if not self.shared and len(self._all) > 1 and instance in self._all:
            self._all.remove(instance)

    @property
    def step(self) -> str:
        """The call that some thread is in, ``start()`` or ``stop()``; or empty."""
        return next((instance.step for instance in list(self._all) if instance.step), "")

    def status(self) -> Any:
        """The consumer's own status; a list if there are several instances. ``None``: it has none."""
        found = [answer for instance in self.started() if (answer := instance.status()) is not None]
        if self.shared:
            return found[0] if found else None
        return found or None
