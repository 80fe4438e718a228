"""Size watch: a call once so many bytes were appended."""

from __future__ import annotations

import sys
from collections.abc import Callable


class SizeWatch:
    """Watches the size of what is appended to one store. Belongs to the thread that appends."""

    def __init__(self) -> None:
        self._left = sys.maxsize
        self._call: Callable[[], object] = lambda: None

    def set(self, size: int, call: Callable[[], object]) -> None:
        """Make a call once ``size`` more bytes were appended, instead of the one before."""
        self._left, self._call = size, call

    def count(self, size: int) -> None:
        """Count appended bytes. The call is made once; it may set the next one."""
        self._left -= size
        if self._left < 0:
            self._left = sys.maxsize
            self._call()
