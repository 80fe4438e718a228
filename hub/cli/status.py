"""``hubbub status``."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

import click
from rich.table import Table

from hub.cli.common import ConfigReader, client_of, config_option, json_option
from hub.cli.json_output import json_text
from hub.cli.numbers import text_of
from hub.cli.text_table import TextTable
from hub.cli.top.columns import BY_KEY, MORE, Line
from hub.cli.top.header import summary
from hub.cli.top.plain import screen, table_of
from hub.cli.top.troubles import other_parts
from hub.errors import HubError
from hub.status.catalogue import metric_of
from hub.text import printable
from hub.units import format_duration

DELAYED, FAILED, DROPPED = MORE
BEFORE = ("consumer", "state", "backlog", "in_flight", "readers")
AFTER = ("oldest", "in", "out", "caught_up", "dead")
COLUMNS = (*(BY_KEY[key] for key in BEFORE), DELAYED, *(BY_KEY[key] for key in AFTER), FAILED, DROPPED)

NUMBERS = ("received", "bytes", "malformed", "gaps", "published")
"""Keys of the numbers of a backend that are shown."""
MOST_QUEUES = 40
"""Queues of a database of jobs that are shown: programs make new ones as they like."""
JOBS = ("waiting", "delayed", "running", "dead")
"""Keys of the counts of a queue of jobs."""


@click.command()
@config_option
@click.option("--cluster", "of_cluster", is_flag=True, help="All hubs that announce themselves ([clusters.NAME]).")
@json_option
def status(load_config: ConfigReader, of_cluster: bool, as_json: bool) -> None:
    """Show the backlog, the rates and the time to catch up of each consumer.

    A narrow terminal shows only the most important columns. Problems are listed above the table. Below are the buses,
    other parts, and the queues of each database of jobs, also those that no consumer of this hub works.
    """
    snapshot = client_of(load_config).get("/status")
    if of_cluster:
        _show_clusters(snapshot.get("clusters") or {}, as_json)
        return
    if as_json:
        click.echo(json_text(snapshot, indented=True))
        return
    console, now = screen(), time.time()
    console.print(summary(snapshot))
    lines = [Line(name, row, (), now) for name, row in snapshot["consumers"].items()]
    console.print(table_of(COLUMNS, lines, console.width))
    console.print(_backends(snapshot["backends"]))
    if others := list(other_parts(snapshot)):
        console.print(_others(others))
    for database, row in (snapshot.get("jobs") or {}).items():
        if queues := row.get("queues"):
            console.print(_job_queues(database, queues))
            if len(queues) > MOST_QUEUES:
                console.print(f" and {len(queues) - MOST_QUEUES} more; 'hubbub job queues' lists all")


def _show_clusters(clusters: Mapping[str, Any], as_json: bool) -> None:
    from hub.cli.cluster import cluster_tables  # a hub in no cluster needs none

    if as_json:
        click.echo(json_text(clusters, indented=True))
        return
    if not clusters:
        raise HubError("this hub is in no cluster: hub.conf has no [clusters.NAME]")
    for name, row in clusters.items():
        screen().print(cluster_tables(name, row, time.time()))


def _backends(backends: Mapping[str, Any]) -> Table:
    table = TextTable(("backend", "type", "state"), [metric_of("backends", key).title for key in NUMBERS])
    for name, row in backends.items():
        counts = {key: row.get(key, 0) for key in NUMBERS}
        counts["malformed"] = sum((row.get("malformed") or {}).values())
        numbers = [text_of("backends", counts, key) for key in NUMBERS]
        table.add_texts([name, row["type"], str(row["state"]), *numbers])
    return table


def _others(parts: Iterable[tuple[str, str, Mapping[str, Any]]]) -> Table:
    table = TextTable(("part", "type", "state"))
    for section, name, row in parts:
        table.add_texts([f"{section}.{name}", str(row.get("type", "")), str(row.get("state", ""))])
    return table


def _job_queues(database: str, queues: Mapping[str, Mapping[str, Any]]) -> Table:
    """The queues of a database of jobs: those in which the most jobs wait, if there are too many, by name."""
    table = TextTable((f"queue of jobs.{printable(database)}",), (*JOBS, "oldest", ""))
    most = sorted(queues, key=lambda name: (-queues[name].get("waiting", 0), name))[:MOST_QUEUES]
    for name in sorted(most):
        row = queues[name]
        oldest = row.get("oldest_age")
        counts = [str(row.get(key, "")) for key in JOBS]
        age = "" if oldest is None else format_duration(oldest)
        table.add_texts([name, *counts, age, "paused" if row.get("paused") else ""])
    return table
