"""``hubbub fsck``."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click

from hub.cli.common import ConfigReader, config_option, json_option
from hub.cli.document import json_text
from hub.cli.saying import complain
from hub.errors import ConfigError
from hub.statefiles import as_owner
from hub.statelock import StateInUse, StateLock
from hub.store.fsck.apart import DiedError, apart
from hub.store.fsck.aside import FOLDER
from hub.store.fsck.problem import Problem
from hub.store.fsck.rescue import Rescued
from hub.store.fsck.survey import Survey, broken, mended, rescued, survey
from hub.store.tables import FILE
from hub.text import printable

CLEAN, PROBLEMS, LEFT = 0, 1, 2


@click.command(
    epilog="Exit codes: 0 clean; 1 problems were found (and all mended); 2 problems are left; 78 a hub runs."
)
@config_option
@json_option
@click.option(
    "--repair", is_flag=True, help="Mend what was found; what can't be read is set aside, and counted as lost."
)
def fsck(load_config: ConfigReader, as_json: bool, repair: bool) -> None:
    """Check the store of a hub that does not run: checksums, counters and positions.

    Damaged records are set aside by --repair, in the folder 'damaged' of the state directory. A file whose structure is
    damaged is replaced by a new one with all that can be found in it; that needs as much disk space again.
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
        report = Report(work_in, configuration.hub.keep > 0, directory)
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
        problem = f"the hub of {shown} runs, with pid {error.holder}: stop it first; only then can its store be checked"
        raise ConfigError([problem]) from error


class Report:
    """What is wrong with a store, and what was done about it.

    :param keep: whether the hub is to keep messages after all are done with them.
    :param shown: the directory's path in what is told; ``None``: ``directory``.
    :ivar left: what is wrong after a repair; ``None``: there was none.
    """

    def __init__(self, directory: Path, keep: bool, shown: Path | None = None) -> None:
        self.directory = directory
        self.shown = shown or directory
        self.keep = keep
        self.found = _survey(directory)
        self.problems = self.found.problems
        self.left: list[Problem] | None = None
        self.rescued: Rescued | None = None

    def repair(self) -> None:
        """In place, if the structure is sound."""
        if not self.problems:
            return
        now = time.time()
        if not self.found.broken:
            try:
                outcome = apart(mended, self.directory, now, self.keep)
            except DiedError as error:
                self.problems.append(broken(str(error)))
            else:
                self.problems = outcome.problems
        if self.found.broken or any(problem.kind == "structure" for problem in self.problems):
            self.rescued = apart(rescued, self.directory, now, self.keep)
            self.problems = self.rescued.problems or self.problems
        self.left = _survey(self.directory).problems

    @property
    def code(self) -> int:
        """Of the command."""
        if not self.problems:
            return CLEAN
        return LEFT if self.left else PROBLEMS

    def document(self) -> dict[str, Any]:
        """For programs."""
        found: dict[str, Any] = {
            "file": str(self.shown / FILE),
            "clean": not self.problems,
            "checked": dict(self.found.counts),
            "problems": [problem.document() for problem in self.problems],
        }
        if self.left is not None:
            found["left"] = [problem.document() for problem in self.left]
        if self.rescued is not None:
            parts = {name: part._asdict() for name, part in self.rescued.queues.items()}
            found["rescued"] = {"old": str(self._old), "queues": parts, "notes": self.rescued.notes}
        return found

    @property
    def _old(self) -> Path | None:
        """The damaged file, by the path that is shown."""
        old = self.rescued.old if self.rescued else None
        return self.shown / old.relative_to(self.directory) if old is not None else None

    def lines(self) -> list[str]:
        """For people."""
        lines = [problem.text for problem in self.problems]
        if self.rescued is not None:
            lines.append(f"a new file was made of what was left; the old one is {self._old}")
            for name, part in self.rescued.queues.items():
                lines.append(f"  queue {name!r}: {part.found} positions found, {part.missing} missing")
            lines += [f"  {note}" for note in self.rescued.notes]
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
            return f"{file}: problems: {len(self.problems)}{checked}; 'hubbub fsck --repair' mends what can be mended"
        where = f"; what was set aside is in {self.shown / FOLDER}" if (self.directory / FOLDER).exists() else ""
        return f"{file}: problems: {len(self.problems)}, left: {len(self.left)}{checked}{where}"


def _survey(directory: Path) -> Survey:
    try:
        return apart(survey, directory)
    except DiedError as error:
        return Survey([broken(str(error))], {})


def printable_lines(lines: list[str]) -> str:
    """A name in a damaged record may be anything."""
    return "\n".join(printable(line) for line in lines)
