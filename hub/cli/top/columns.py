"""The columns of the table of consumers: what each shows, and how one sorts by it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from hub.cli.moment import caught_up
from hub.cli.top.history import sparkline
from hub.stats.condition import level, words
from hub.text import printable
from hub.units import format_duration

SPARKLINE_WIDTH = 20
BAD, BUSY, HELD, GOOD = "bold red", "bold yellow", "bold blue", ""
STYLES = {"bad": BAD, "warn": BUSY, "info": HELD, "ok": GOOD, "off": "dim"}
"""Of the levels of a consumer's conditions."""
FALLING_BEHIND = float("inf")


@dataclass(frozen=True)
class Line:
    """A consumer at one moment. :ivar past: its backlogs, the oldest first. :ivar now: epoch seconds."""

    name: str
    row: Mapping[str, Any]
    past: Sequence[int]
    now: float


@dataclass(frozen=True)
class Column:
    """See the module. :ivar value: what it is sorted by; ``None``: not known, which comes last either way.

    :ivar falling: whether one wants the highest first.
    """

    key: str
    heading: str
    value: Callable[[Line], Any]
    cell: Callable[[Line], Text]
    right: bool = True
    falling: bool = True


def _plain(value: object, style: str = "") -> Text:
    return Text(printable(str(value)), style=style, no_wrap=True)


def _count(key: str, style: str = "") -> Callable[[Line], Text]:
    return lambda line: _plain(line.row[key], style if line.row[key] else "")


def _known(key: str, form: Callable[[Any], str]) -> Callable[[Line], Text]:
    return lambda line: _plain("-" if line.row.get(key) is None else form(line.row[key]))


def _value(key: str) -> Callable[[Line], Any]:
    return lambda line: line.row.get(key)


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


def _rate(value: float) -> str:
    return f"{value:.1f}"


COLUMNS = (
    Column("consumer", "consumer", lambda line: line.name, lambda line: _plain(line.name), right=False, falling=False),
    Column("state", "state", _words, _state, right=False, falling=False),
    Column("backlog", "backlog", _value("backlog"), _count("backlog", BUSY)),
    Column("trend", "last minutes", lambda line: max(line.past, default=0), _sparkline),
    Column("in_flight", "in flight", _value("in_flight"), _count("in_flight")),
    Column("dead", "dead", _value("dead_letters"), _count("dead_letters", BAD)),
    Column("oldest", "oldest", _value("oldest_age"), _known("oldest_age", format_duration)),
    Column("in", "in/s", _value("rate_in"), _known("rate_in", _rate)),
    Column("out", "out/s", _value("rate_out"), _known("rate_out", _rate)),
    Column("caught_up", "caught up", _catch_up, _caught_up, right=False),
    Column("busy", "busy", _value("utilisation"), _known("utilisation", "{:.0%}".format)),
    Column("p99", "p99", _p99, lambda line: _plain("-" if _p99(line) is None else format_duration(_p99(line)))),
)
MORE = (
    Column("delayed", "delayed", _value("delayed"), _count("delayed")),
    Column("failed", "failed", _value("failed"), _count("failed")),
    Column("lost", "lost", _value("dropped"), _count("dropped", BAD)),
)
"""Of ``hubbub status`` only."""
BY_KEY = {column.key: column for column in COLUMNS}
PRIORITY = (
    *("consumer", "caught_up", "backlog", "state", "dead", "oldest", "out", "in", "trend"),
    *("in_flight", "delayed", "lost", "failed", "busy", "p99"),
)
"""Of columns, here and in ``hubbub status``: what is shown where there is no room for all."""
FIRST = 3
"""So many of them always are."""


def fitting(columns: Sequence[Column], widths: Mapping[str, int], room: int, wanted: str = "") -> list[Column]:
    """Those that there is room for, the more important ones rather than the others, in their order.

    :param widths: by key, with the space around them.
    :param room: as ``widths``, in characters.
    :param wanted: a key that comes before all but the first.
    """
    shown: set[str] = set()
    for key in dict.fromkeys((*PRIORITY[:FIRST], wanted, *PRIORITY[FIRST:])):
        if key in widths and (len(shown) < FIRST or widths[key] <= room):
            shown.add(key)
            room -= widths[key]
    return [column for column in columns if column.key in shown]


@dataclass(frozen=True)
class Sorting:
    """By which column, and whether the other way round than one mostly wants."""

    key: str = "backlog"
    reverse: bool = False

    def next(self) -> Sorting:
        """By the column to the right."""
        keys = list(BY_KEY)
        return Sorting(keys[(keys.index(self.key) + 1) % len(keys)])

    def chosen(self, key: str) -> Sorting:
        """By that column; if it is that already, the other way round."""
        return Sorting(key, not self.reverse if key == self.key else False)

    def order(self, lines: Sequence[Line]) -> list[Line]:
        """Of equal ones, the first by name comes first."""
        column = BY_KEY[self.key]
        by_name = sorted(lines, key=lambda line: line.name)
        known = [line for line in by_name if column.value(line) is not None]
        known.sort(key=column.value, reverse=column.falling != self.reverse)
        return known + [line for line in by_name if column.value(line) is None]

    def heading(self, column: Column) -> str:
        """With an arrow at the column that it is sorted by."""
        arrow = " ▼" if column.falling != self.reverse else " ▲"
        return column.heading + (arrow if column.key == self.key else "")
