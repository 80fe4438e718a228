"""A clock."""

from __future__ import annotations

from collections.abc import Callable

Clock = Callable[[], float]
"""A clock, in seconds: monotonic (delays, rates) or epoch seconds (shown to people); each use says which."""
