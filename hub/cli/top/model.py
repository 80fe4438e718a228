"""The model of ``hubbub top``: the state that its screens show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from hub.cli.top.columns import Line, Sorting
from hub.cli.top.header import away, summary
from hub.cli.top.history import BacklogHistory
from hub.interfaces import Clock


class Model:
    """The last status, the sorting and the history. Used only in the screen's thread.

    :param wall: epoch seconds.
    :ivar status: the last status from the hub; ``None``: none yet.
    :ivar problem: why the last poll failed; ``None``: it did not.
    """

    def __init__(self, interval: float, sorting: Sorting, wall: Clock) -> None:
        self.sorting = sorting
        self.status: Mapping[str, Any] | None = None
        self.problem: str | None = None
        self.wall = wall
        self._history = BacklogHistory(interval)
        self._answered_at = wall()

    def answered(self, status: Mapping[str, Any]) -> None:
        """Store a new status."""
        self.status = status
        self.problem = None
        self._answered_at = self.wall()
        self._history.note(status["consumers"])

    def unanswered(self, problem: str) -> None:
        """Record that no hub answered; the last status stays."""
        self.problem = problem

    def lines(self) -> list[Line]:
        """A line for each consumer, sorted."""
        rows: Mapping[str, Any] = self.status["consumers"] if self.status else {}
        now = self.wall()
        return self.sorting.order([Line(name, row, self._history.backlogs(name), now) for name, row in rows.items()])

    def row(self, name: str) -> dict[str, Any] | None:
        """The row of one consumer; ``None`` if it was removed."""
        rows: Mapping[str, dict[str, Any]] = self.status["consumers"] if self.status else {}
        return rows.get(name)

    def head(self) -> Text:
        """The text above the table."""
        if self.status is None:
            return Text("waiting for the hub") if self.problem is None else Text(self.problem, "bold red")
        if self.problem is not None:
            return away(self.problem, self._answered_at, self.wall())
        return summary(self.status)
