"""The tables of ``hubbub status --cluster``. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from hub.cli.numbers import text_of
from hub.cli.text_table import TextTable
from hub.cli.times import all_clear
from hub.cli.top.columns import BAD, HELD
from hub.cluster.names import shown_name
from hub.status.catalogue import metric_of
from hub.text import counted, printable
from hub.units import format_duration

NODE_NUMBERS = ("backlog", "rate_in", "rate_out", "oldest_age", "dead_letters")
QUEUE_NUMBERS = ("nodes", "backlog", "in_flight", "rate_in", "rate_out", "oldest_age", "dead_letters")

GONE = (("nodes_left", "left"), ("nodes_vanished", "vanished"), ("nodes_unheard", "not heard"))
STYLES = {"vanished": BAD, "unheard": HELD}


def cluster_tables(name: str, row: Mapping[str, Any], now: float) -> Group:
    """A cluster: a summary, its nodes, its queues. :param now: epoch seconds."""
    if "nodes" not in row:
        return Group(Text(printable(f"cluster {name} fails: {row.get('error')}"), BAD))
    return Group(_summary(name, row, now), _nodes(row["nodes"], now), _queues(row["queues"]))


def _summary(name: str, row: Mapping[str, Any], now: float) -> Text:
    gone = [f"{row[key]} {word}" for key, word in GONE if row.get(key)]
    nodes = ", ".join([f"{counted(row['nodes_present'], 'node')} present", *gone])
    clear = all_clear(row["headline"], now)
    numbers = f"backlog {row['backlog']}, dead letters {row['dead_letters']}, {clear}"
    text = Text(printable(f"cluster {name}: {nodes}; {numbers}"))
    for line, style in _troubles(row):
        text.append("\n" + printable(line), style)
    return text


def _troubles(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if row["deaf_because"]:
        yield f"no announcements come now: {row['deaf_because']}", BAD
    if row["last_error"]:
        yield f"this hub can't announce itself: {row['last_error']}", BAD
    if refused := ", ".join(f"{count} {reason}" for reason, count in row["refused"].items() if count):
        yield f"announcements refused: {refused}", HELD


def _nodes(rows: Mapping[str, Any], now: float) -> Table:
    table = TextTable(("node", "which", "state", "version"), [metric_of("nodes", key).title for key in NODE_NUMBERS])
    for name, row in sorted(rows.items()):
        # In a column of its own, which no name reaches: another hub may be called "alpha (this hub)".
        cells = [shown_name(name), "this hub" if row["own"] else "another", _state(row, now), row["version"]]
        numbers = [text_of("nodes", row, key) for key in NODE_NUMBERS]
        table.add_texts([*cells, *numbers], STYLES.get(row["state"], ""))
    return table


def _state(row: Mapping[str, Any], now: float) -> str:
    if row["state"] == "unheard":
        return f"not heard for {format_duration(row['silent'])}"
    if row["state"] != "present":
        return f"{row['state']} {format_duration(max(0.0, now - row['since']))} ago"
    if row["ready"]:
        return str(row["hub_state"])
    return f"not ready: {'; '.join(row['not_ready'])}"


def _queues(rows: Mapping[str, Any]) -> Table:
    table = TextTable(("queue",), [*(metric_of("queues", key).title for key in QUEUE_NUMBERS), "caught up"])
    for name, row in rows.items():
        clear = " ".join(filter(None, (row["caught_up"], row["caught_up_detail"])))
        table.add_texts([shown_name(name), *(text_of("queues", row, key) for key in QUEUE_NUMBERS), clear])
    return table
