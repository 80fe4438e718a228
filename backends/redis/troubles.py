"""Troubles with single streams or channels: the server refuses one of them, and serves the others."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from hub.backends.recent_refusal import FORGET
from hub.backends.redis.line import ErrorReply
from hub.backends.redis.replies import refusal_text
from hub.interfaces import Clock
from hub.text import printable

T = TypeVar("T")
RETRY = 2.0
"""Seconds after which a stream that was refused is tried again."""
MOST = 100
"""Places that are remembered: a published message may name any."""
MOST_TEXTS = 10
"""Refusals of one place that are logged, until nothing is in the way."""
MOST_NAME = 100
"""Characters of a name that are shown."""


def shown(name: str) -> str:
    """The name of a stream or channel, one short and safe line."""
    return printable(name[:MOST_NAME]) + ("..." if len(name) > MOST_NAME else "")


def _of(table: dict[str, T], place: str, make: Callable[[], T]) -> T:
    """Entry of a place in a table; the oldest one makes room for a new one."""
    while place not in table and len(table) >= MOST:
        del table[next(iter(table))]
    return table.setdefault(place, make())


class Troubles:
    """Refusals of the server, by place and by what was tried there. Each call is safe in any thread.

    :param clock: monotonic seconds. :param log: told once of each trouble, and of its end; ``None``: somebody else
        tells it.
    """

    def __init__(self, clock: Clock, log: logging.LoggerAdapter[logging.Logger] | None = None) -> None:
        self._clock = clock
        self._log = log
        self._lock = threading.Lock()
        self._found: dict[str, dict[str, tuple[float, str]]] = {}
        self._logged: dict[str, set[str]] = {}

    def note(self, place: str, job: str, error: ErrorReply) -> None:
        """Note that something was refused. :param job: what was tried: ``read``, ``acknowledge``."""
        text = refusal_text(error)
        with self._lock:
            _of(self._found, place, dict)[job] = (self._clock(), text)
            logged = _of(self._logged, place, set)
            is_new = text not in logged and len(logged) < MOST_TEXTS
            if is_new:
                logged.add(text)
        if is_new and self._log is not None:
            told = "stream %s: %s; the others go on, trying on"
            self._log.warning(told, shown(place), text, extra={"action": "subscribe"})

    def clear(self, place: str, job: str) -> None:
        """Note that it is done: nothing is in the way any more."""
        if not self._logged:
            return
        with self._lock:
            jobs = self._found.get(place, {})
            ended = jobs.pop(job, None) is not None
            if not jobs:
                self._found.pop(place, None)
                self._logged.pop(place, None)
        if ended and not jobs and self._log is not None:
            self._log.info("stream %s: nothing is refused any more", shown(place), extra={"action": "subscribe"})

    def forget(self, *jobs: str) -> None:
        """Forget what these were refused: the connection on which they were tried has ended."""
        with self._lock:
            for place, found in [*self._found.items()]:
                for job in jobs:
                    found.pop(job, None)
                if not found:
                    del self._found[place]

    @property
    def reason(self) -> str:
        """The first trouble, in one line, and how many more places have one; empty: there is none."""
        with self._lock:
            old = self._clock() - FORGET
            recent = {name: [text for at, text in jobs.values() if at >= old] for name, jobs in self._found.items()}
        told = [f"{shown(name)}: {texts[0]}" for name, texts in recent.items() if texts]
        more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
        return told[0] + more if told else ""
