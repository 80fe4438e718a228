"""Commit timer: the writer commits at once if somebody waits, otherwise rarely enough to be cheap."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

DELAY = 0.005
"""Seconds from an arrival to its commit, if commits are rare: messages finished by then are settled by it."""
SPACING = 0.1
"""Seconds between two commits, and so the longest delay of one. A commit costs some 0.4 ms of CPU time however small
it is: at 120 messages per second, a commit for each would cost as much as all other work."""
IDLE_AFTER = 1.0
RETRY_EVERY = 1.0
"""Seconds between two attempts while the disk is full."""


class Event(Protocol):
    """The part of ``threading.Event`` that is used here."""

    def is_set(self) -> bool: ...  # noqa: D102 - as in threading.Event
    def set(self) -> None: ...  # noqa: D102
    def clear(self) -> None: ...  # noqa: D102
    def wait(self, timeout: float | None = None) -> bool: ...  # noqa: D102


class CommitTimer:
    """Timer of commits. ``request`` and ``hurry`` are thread-safe; the writer's thread calls ``wait``.

    :param delay: least seconds from a request to its commit, unless ``hurry`` is called.
    :param spacing: least seconds between two commits, unless ``hurry`` is called.
    """

    def __init__(
        self, delay: float = DELAY, spacing: float = SPACING, event: Callable[[], Event] = threading.Event
    ) -> None:
        self._delay, self._spacing = delay, spacing
        self._requested, self._urgent = event(), event()

    def request(self) -> None:
        """Request a commit soon. Cheap if one is requested already."""
        if not self._requested.is_set():
            self._requested.set()

    def hurry(self) -> None:
        """Request a commit at once."""
        self._urgent.set()
        self._requested.set()

    def wait(self, on_idle: Callable[[], object], longest: float | None, full: bool = False) -> None:
        """Wait until a commit is due.

        :param on_idle: called after a second without a request.
        :param longest: idle seconds after which a commit is due anyway; ``None``: never.
        :param full: whether the disk was full, and the commit is to be retried.
        """
        if full:
            self._urgent.wait(RETRY_EVERY)
        else:
            self._urgent.wait(self._spacing)
            left = self._delay
            if self._requested.is_set():
                left = max(0.0, self._delay - self._spacing)
            elif not self._requested.wait(IDLE_AFTER):
                on_idle()
                self._requested.wait(longest)
            self._urgent.wait(left)
        self._urgent.clear()
        self._requested.clear()
