"""Columns of the table of consumers: cells and sorting. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from hub.cli.numbers import number_text
from hub.cli.times import caught_up
from hub.cli.top.history import sparkline
from hub.stats.reading import level, words
from hub.status.catalogue import metric_of
from hub.text import printable

SPARKLINE_WIDTH = 20
BAD, BUSY, HELD, GOOD = "bold red", "bold yellow", "bold blue", ""
STYLES = {"bad": BAD, "warn": BUSY, "info": HELD, "ok": GOOD, "off": "dim"}
"""Styles of the levels of conditions."""
FALLING_BEHIND = float("inf")
CONSUME_TIME = metric_of("consumers", "consume_time")


@dataclass(frozen=True)
class Line:
    """A consumer's row of the table. :ivar past: its backlogs, the oldest first. :ivar now: epoch seconds."""

    name: str
    row: Mapping[str, Any]
    past: Sequence[int]
    now: float


@dataclass(frozen=True)
class Column:
    """A column of the table. :ivar value: the sort key; ``None`` (not known) is always last.

    :ivar falling: whether the highest comes first by default.
    """

    key: str
    heading: str
    value: Callable[[Line], Any]
    cell: Callable[[Line], Text]
    right: bool = True
    falling: bool = True


def _plain(value: object, style: str = "") -> Text:
    return Text(printable(str(value)), style=style, no_wrap=True)


def number(key: str, field: str = "", style: str = "") -> Column:
    """The column of a number of the catalogue. :param field: its key in the row; empty: ``key``.

    :param style: of a value above zero, besides the catalogue's level.
    """
    metric = metric_of("consumers", field or key)

    def cell(line: Line) -> Text:
        value = line.row.get(metric.key)
        marked = value is not None and value > metric.limit
        return _plain(number_text(metric, value), (style or STYLES[metric.level]) if marked else "")

    return Column(key, metric.title, lambda line: line.row.get(metric.key), cell)


def _p99(line: Line) -> Any:
    return line.row["consume_time"]["p99"]


def _catch_up(line: Line) -> Any:
    return FALLING_BEHIND if line.row["trend"] == "falling_behind" else line.row["catch_up_seconds"]


def _caught_up(line: Line) -> Text:
    return _plain(caught_up(line.row, line.now), BAD if line.row["trend"] == "falling_behind" else "")


def _words(line: Line) -> str:
    return words(line.row)


def _state(line: Line) -> Text:
    return _plain(_words(line), STYLES[level(line.row)])


def _sparkline(line: Line) -> Text:
    return _plain(sparkline(line.past, SPARKLINE_WIDTH), "cyan")


COLUMNS = (
    Column("consumer", "consumer", lambda line: line.name, lambda line: _plain(line.name), right=False, falling=False),
    Column("state", "state", _words, _state, right=False, falling=False),
    number("backlog", style=BUSY),
    Column("trend", "last minutes", lambda line: max(line.past, default=0), _sparkline),
    number("in_flight"),
    number("dead", "dead_letters"),
    number("oldest", "oldest_age"),
    number("in", "rate_in"),
    number("out", "rate_out"),
    Column("caught_up", "caught up", _catch_up, _caught_up, right=False),
    number("busy", "utilisation"),
    Column("p99", "p99", _p99, lambda line: _plain(number_text(CONSUME_TIME, _p99(line)))),
    number("readers"),
)
MORE = (number("delayed"), number("failed"), number("dropped"))
"""Columns of ``hubbub status`` only."""
BY_KEY = {column.key: column for column in COLUMNS}
PRIORITY = (
    *("consumer", "caught_up", "backlog", "state", "dead", "oldest", "out", "in", "trend"),
    *("in_flight", "delayed", "dropped", "failed", "busy", "p99", "readers"),
)
"""Columns by importance: in a narrow terminal the last ones are left out, here and in ``hubbub status``."""
FIRST = 3
"""Number of the columns in ``PRIORITY`` that are always shown."""


def fitting(columns: Sequence[Column], widths: Mapping[str, int], room: int, wanted: str = "") -> list[Column]:
    """The columns that fit, chosen by ``PRIORITY``, in the order of ``columns``.

    :param widths: widths by key, in characters, with padding.
    :param room: width of the table, in characters.
    :param wanted: key of a column that is next in priority after the first ``FIRST``.
    """
    shown: set[str] = set()
    for key in dict.fromkeys((*PRIORITY[:FIRST], wanted, *PRIORITY[FIRST:])):
        if key in widths and (len(shown) < FIRST or widths[key] <= room):
            shown.add(key)
            room -= widths[key]
    return [column for column in columns if column.key in shown]


@dataclass(frozen=True)
class Sorting:
    """The sort column, and whether its default direction is reversed."""

    key: str = "backlog"
    reverse: bool = False

    def next(self) -> Sorting:
        """Sorting by the column to the right."""
        keys = list(BY_KEY)
        return Sorting(keys[(keys.index(self.key) + 1) % len(keys)])

    def chosen(self, key: str) -> Sorting:
        """Sorting by that column; reversed if it is the sort column already."""
        return Sorting(key, not self.reverse if key == self.key else False)

    def order(self, lines: Sequence[Line]) -> list[Line]:
        """Sort lines by the column, then by name."""
        column = BY_KEY[self.key]
        by_name = sorted(lines, key=lambda line: line.name)
        known = [line for line in by_name if column.value(line) is not None]
        known.sort(key=column.value, reverse=column.falling != self.reverse)
        return known + [line for line in by_name if column.value(line) is None]

    def heading(self, column: Column) -> str:
        """The heading, with an arrow if it is the sort column."""
        arrow = " ▼" if column.falling != self.reverse else " ▲"
        return column.heading + (arrow if column.key == self.key else "")
