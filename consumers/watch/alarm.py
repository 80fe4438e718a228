"""One alarm: it is raised when a limit is passed for long enough, and over when the value was calm for as long."""

from __future__ import annotations

from typing import Literal

Turn = Literal["raised", "over"]


class Alarm:
    """The state of one rule. Times are monotonic seconds.

    :param hold: seconds that the limit must be passed, or the value be calm, before the state changes.
    :ivar raised: whether it is raised.
    """

    def __init__(self, hold: float, raised: bool = False) -> None:
        self.raised = raised
        self._hold = hold
        self._since: float | None = None

    def judge(self, passed: bool | None, calm: bool | None, now: float) -> Turn | None:
        """Return the change that is due; :meth:`turn` makes it.

        :param passed: whether the limit is passed. :param calm: whether the value is well below it: between the two the
            state stays. ``None``: nobody knows, and the state stays too.
        """
        if not (calm if self.raised else passed):
            self._since = None
            return None
        if self._since is None:
            self._since = now
        if now - self._since < self._hold:
            return None
        return "over" if self.raised else "raised"

    def turn(self) -> None:
        """Change the state, once the change was told."""
        self.raised = not self.raised
        self._since = None
