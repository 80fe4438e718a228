"""Thread event with callbacks, so that it need not be polled."""

from __future__ import annotations

import threading
from collections.abc import Callable


class CallbackEvent(threading.Event):
    """An event that is set once and never cleared. Callbacks run in the thread that sets it.

    A callback for another thread, such as the reactor's, should only hand over to that thread.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._calls: list[Callable[[], object]] = []

    def when_set(self, call: Callable[[], object]) -> None:
        """Register a callback. It is called at once, in this thread, if the event is set already."""
        with self._lock:
            if not self.is_set():
                self._calls.append(call)
                return
        call()

    def set(self) -> None:
        """Wake all waiting threads, then run the callbacks."""
        with self._lock:
            super().set()
            calls, self._calls = self._calls, []
        for call in calls:
            call()
