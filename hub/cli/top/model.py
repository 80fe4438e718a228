"""What ``hubbub top`` knows at a moment: all that its screens show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from hub.cli.top.columns import Line, Sorting
from hub.cli.top.header import away, summary
from hub.cli.top.history import History
from hub.interfaces import Clock


class Model:
    """In the screen's thread only.

    :param wall: epoch seconds.
    :ivar status: the last that a hub said; ``None``: nothing yet.
    :ivar problem: why there is no newer one; ``None``: there is.
    """

    def __init__(self, interval: float, sorting: Sorting, wall: Clock) -> None:
        self.sorting = sorting
        self.status: Mapping[str, Any] | None = None
        self.problem: str | None = None
        self.wall = wall
        self._history = History(interval)
        self._answered_at = wall()

    def answered(self, status: Mapping[str, Any]) -> None:
        """The hub said this."""
        self.status = status
        self.problem = None
        self._answered_at = self.wall()
        self._history.note(status["consumers"])

    def unanswered(self, problem: str) -> None:
        """No hub said anything; what was said last stays."""
        self.problem = problem

    def lines(self) -> list[Line]:
        """All consumers, in their order."""
        rows: Mapping[str, Any] = self.status["consumers"] if self.status else {}
        now = self.wall()
        return self.sorting.order([Line(name, row, self._history.backlogs(name), now) for name, row in rows.items()])

    def row(self, name: str) -> dict[str, Any] | None:
        """Of one consumer; ``None``: there is none of that name any more."""
        rows: Mapping[str, dict[str, Any]] = self.status["consumers"] if self.status else {}
        return rows.get(name)

    def head(self) -> Text:
        """What stands above the table."""
        if self.status is None:
            return Text("waiting for the hub") if self.problem is None else Text(self.problem, "bold red")
        if self.problem is not None:
            return away(self.problem, self._answered_at, self.wall())
        return summary(self.status)
