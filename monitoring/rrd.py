"""RRD files for graphs: the places of their numbers, their creation, and calls of rrdtool."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from hub.errors import Unavailable

PORTION = 500
"""Rows per call of ``rrdtool update``: the operating system limits the length of a command line."""

Column = Sequence[float | None]


@dataclass(frozen=True)
class Lines:
    """Places of a graph's numbers, in rrdtool's notation ``FILE:NAME``.

    :ivar peak: the highest backlog of each interval; may be the same place as ``backlog``.
    :ivar catch_up: the time to catch up; ``None``: the source does not have it.
    """

    backlog: str
    peak: str
    rate_in: str
    rate_out: str
    catch_up: str | None = None


def place(path: Path, name: str = "value") -> str:
    """Notation of a data source; a colon in the file's name is escaped."""
    return str(path).replace("\\", "\\\\").replace(":", "\\:") + f":{name}"


def run(*arguments: str) -> str:
    """Run rrdtool, and return its output. :raises Unavailable: it is not installed, or it failed."""
    program = shutil.which("rrdtool")
    if program is None:
        raise Unavailable("rrdtool is not installed")
    done = subprocess.run(  # noqa: S603 - an argument list, no shell
        [program, *arguments], capture_output=True, encoding="utf-8", errors="replace"
    )
    if done.returncode:
        raise Unavailable(f"rrdtool: {done.stderr.strip().removeprefix('ERROR: ')}")
    return done.stdout


def moments(start: str, end: str) -> tuple[int, int]:
    """Epoch seconds of a graph's start and end. :raises Unavailable: rrdtool does not understand them."""
    told = run("graphv", "-", "--start", start, "--end", end, "HRULE:0#000000")
    found = dict(line.split(" = ", 1) for line in told.splitlines() if line.startswith(("graph_start", "graph_end")))
    return int(found["graph_start"]), int(found["graph_end"])


def make(path: Path, step: int, start: int, columns: Mapping[str, Column]) -> None:
    """Create an RRD file from columns of equal length; each becomes a data source of its name.

    :param step: seconds per row. :param start: epoch seconds at which the first row begins, a multiple of ``step``.
    :raises Unavailable: rrdtool is missing, or it failed.
    """
    count = len(next(iter(columns.values())))
    sources = [f"DS:{name}:GAUGE:{step}:U:U" for name in columns]
    archives = [f"RRA:{function}:0.5:1:{count}" for function in ("AVERAGE", "MAX")]
    run("create", str(path), "--start", str(start), "--step", str(step), *sources, *archives)
    # rrdtool expects the time at which a number's interval ends.
    rows = (
        ":".join([str(start + step * number), *("U" if value is None else f"{value:.3f}" for value in row)])
        for number, row in enumerate(zip(*columns.values(), strict=True), 1)
    )
    while portion := list(islice(rows, PORTION)):
        run("update", str(path), "--template", ":".join(columns), *portion)
