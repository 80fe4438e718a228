"""``hubbub fsck``."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click

from hub.cli.common import ConfigReader, config_option, json_option
from hub.cli.json_output import json_text
from hub.cli.output import complain
from hub.errors import ConfigError
from hub.statefiles import as_owner
from hub.statelock import StateInUse, StateLock
from hub.store.fsck.problem import Problem
from hub.store.fsck.quarantine import FOLDER
from hub.store.fsck.rewrite import Rewritten, rewrite
from hub.store.fsck.survey import survey
from hub.store.tables import FILE
from hub.text import printable

CLEAN, PROBLEMS, LEFT = 0, 1, 2


@click.command(
    epilog="Exit codes: 0 clean; 1 problems were found (with --repair: all are repaired); 2 problems are left; "
    "74 the disk is full or fails; 78 the hub is running."
)
@config_option
@json_option
@click.option(
    "--repair",
    is_flag=True,
    help="Write a new file with all readable records; others are set aside and counted as lost.",
)
def fsck(load_config: ConfigReader, as_json: bool, repair: bool) -> None:
    """Check the store of a stopped hub: checksums, counters and positions.

    --repair never changes the file: it writes a new one, which needs as much disk space again, and puts it in the place
    of the old one. The old file and damaged records are kept in the folder 'damaged' of the state directory. If LMDB
    can't read a part of the file, some settled messages may be delivered again.
    """
    configuration = load_config()
    directory = configuration.state_dir
    if not (directory / FILE).exists():
        problems = complain([f"there is no store in {directory}"])
        if as_json:
            click.echo(json_text({"problems": problems}))
        raise click.exceptions.Exit(os.EX_NOINPUT)
    work_in = as_owner(directory)
    lock = _lock(work_in, directory)
    try:
        report = FsckReport(work_in, configuration.hub.keep > 0, directory)
        if repair:
            report.repair()
    finally:
        lock.release()
    click.echo(json_text(report.document()) if as_json else printable_lines(report.lines()))
    raise click.exceptions.Exit(report.code)


def _lock(directory: Path, shown: Path) -> StateLock:
    try:
        return StateLock(directory)
    except StateInUse as error:
        problem = f"the hub of {shown} is running, pid {error.holder}: stop it first, then check its store"
        raise ConfigError([problem]) from error


class FsckReport:
    """The problems of a store, and what was done about them.

    :param keep: whether the hub keeps messages after all queues have settled them.
    :param shown: the directory's path in the output; ``None``: ``directory``.
    :ivar left: problems after a repair; ``None``: nothing was repaired.
    """

    def __init__(self, directory: Path, keep: bool, shown: Path | None = None) -> None:
        self.directory = directory
        self.shown = shown or directory
        self.keep = keep
        self.found = survey(directory)
        self.problems = self.found.problems
        self.left: list[Problem] | None = None
        self.rewritten: Rewritten | None = None

    def repair(self) -> None:
        """Write a new file, if there is a problem."""
        if not self.problems:
            return
        self.rewritten = rewrite(self.directory, time.time(), self.keep, self.found.used)
        if self.found.broken:
            self.problems = [*self.problems, *self.rewritten.problems]
        self.left = self.rewritten.left

    @property
    def code(self) -> int:
        """The command's exit code."""
        if not self.problems:
            return CLEAN
        return LEFT if self.left else PROBLEMS

    def document(self) -> dict[str, Any]:
        """The report for programs."""
        found: dict[str, Any] = {
            "file": str(self.shown / FILE),
            "clean": not self.problems,
            "checked": dict(self.found.counts),
            "problems": [problem.document() for problem in self.problems],
        }
        if self.left is not None:
            found["left"] = [problem.document() for problem in self.left]
        if self.rewritten is not None:
            parts = {name: part._asdict() for name, part in self.rewritten.queues.items()}
            old = str(self._old(self.rewritten))
            found["rescued"] = {"old": old, "queues": parts, "notes": self.rewritten.notes}
        return found

    def _old(self, rewritten: Rewritten) -> Path:
        """The damaged file, by the path that is shown."""
        return self.shown / rewritten.old.relative_to(self.directory)

    def lines(self) -> list[str]:
        """The report for people."""
        lines = [problem.text for problem in self.problems]
        if self.rewritten is not None:
            lines.append(f"a new file was written; the old one is {self._old(self.rewritten)}")
            for name, part in self.rewritten.queues.items():
                lines.append(f"  queue {name!r}: {part.found} positions found, {part.missing} missing")
            lines += [f"  {note}" for note in self.rewritten.notes]
        if self.left:
            lines += ["left:", *(f"  {problem.text}" for problem in self.left)]
        return [*lines, self._summary()]

    def _summary(self) -> str:
        file = self.shown / FILE
        counts = ", ".join(f"{count} {table}" for table, count in self.found.counts.items())
        if not self.problems:
            return f"{file}: clean ({counts})"
        checked = f" ({counts})" if counts else ""
        if self.left is None:
            return f"{file}: problems: {len(self.problems)}{checked}; 'hubbub fsck --repair' repairs what it can"
        where = f"; damaged records are in {self.shown / FOLDER}" if (self.directory / FOLDER).exists() else ""
        return f"{file}: problems: {len(self.problems)}, left: {len(self.left)}{checked}{where}"


def printable_lines(lines: list[str]) -> str:
    """Join lines for a terminal: a name in a damaged record may be anything."""
    return "\n".join(printable(line) for line in lines)
