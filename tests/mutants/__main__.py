"""Changes the code of the core at random places, in a copy, and tells which changes no unit test notices.

    python -m tests.mutants [--sample 300] [--seed 1] [--workers 1] [ROOM...]

A room is a file or folder of the core, ``hub/stats`` say; without one all of them are taken. mutmut makes the changes,
finds out which tests run a function, and runs those, the fastest first. It changes only functions without decorators.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.mutants import copy, equivalent
from tests.mutants.rooms import CORE

SURVIVED = (0, 5, 33)
"""Exit codes that mutmut notes for a mutant that its tests did not notice, or that no test runs."""
NOTHING = "nothing.of.this.name"


class Mutmut:
    """mutmut at work in a copy of the repository. :param workers: mutants at once."""

    def __init__(self, directory: Path, workers: int) -> None:
        self._directory = directory
        self._workers = workers

    def names(self) -> list[str]:
        """Make all mutants and find out which tests run them. :returns: their names."""
        self._run("run", f"--max-children={self._workers}", NOTHING)
        if not (self._directory / "mutants" / "mutmut-stats.json").exists():
            sys.exit("the tests do not pass on the copy as it is: see above")
        return sorted(self._outcomes())

    def run(self, names: Sequence[str]) -> dict[str, int | None]:
        """Run the tests of these mutants. :returns: the exit code of each. Ends the command if some were not run."""
        self._run("run", f"--max-children={self._workers}", *names)
        found = self._outcomes()
        outcomes = {name: found[name] for name in names}
        if None in outcomes.values():
            sys.exit("some mutants were not run: the tests do not pass on the copy as it is, see above")
        return outcomes

    def diff(self, name: str) -> str:
        """What a mutant changes, in the unified format."""
        shown = self._run("show", name)
        return shown[shown.find("--- ") :].rstrip() + "\n"

    def _outcomes(self) -> dict[str, int | None]:
        found: dict[str, int | None] = {}
        for file in (self._directory / "mutants").rglob("*.meta"):
            found |= json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
        return found

    def _run(self, verb: str, *arguments: str) -> str:
        """:returns: what it said. It ends, with all that it started, when this process is interrupted."""
        shown = verb == "show"
        command = [sys.executable, "-m", "mutmut", verb, *arguments]
        output = subprocess.PIPE if shown else sys.stderr
        with subprocess.Popen(
            command, cwd=self._directory, stdout=output, text=True, start_new_session=True
        ) as process:
            try:
                said, _ = process.communicate()
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
        return said or ""


def report(outcomes: dict[str, int | None], diffs: dict[str, str], reasons: dict[equivalent.Change, str]) -> str:
    """The survivors as text, and the share that was noticed.

    :param outcomes: exit codes by name. :param diffs: of those that survived.
    """
    changes = {name: equivalent.Change.of(name, diff) for name, diff in diffs.items()}
    survivors = {name: diffs[name] for name, one in changes.items() if one not in reasons and not one.nothing}
    told = Counter("no test runs it" if outcomes[name] in (5, 33) else "survived" for name in survivors)
    counted = len(outcomes) - (len(diffs) - len(survivors))
    noticed = counted - len(survivors)
    lines = [f"{equivalent.function_of(name)} ({name})\n{diff}" for name, diff in sorted(survivors.items())]
    equivalents = len(outcomes) - counted
    kinds = ", ".join(f"{kind}: {count}" for kind, count in sorted(told.items())) or "none survived"
    share = 100 * noticed / counted if counted else 100.0
    lines.append(f"{noticed} of {counted} mutants noticed ({share:.1f}%); {kinds}; known as equivalent: {equivalents}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser("python -m tests.mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("rooms", nargs="*", metavar="ROOM", default=[*CORE], help="a file or folder of the core")
    parser.add_argument("--sample", type=int, default=300, help="how many mutants; 0: all")
    parser.add_argument("--seed", type=int, default=1, help="which of them")
    parser.add_argument("--workers", type=int, default=1, help="how many at once")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    reasons = equivalent.known()
    with tempfile.TemporaryDirectory(prefix="hubbub-mutants-") as folder:
        try:
            copy.make(Path(folder), options.rooms)
        except ValueError as error:
            parser.error(str(error))
        mutmut = Mutmut(Path(folder), options.workers)
        names = mutmut.names()
        outcomes = mutmut.run(sample(names, options.sample, options.seed))
        diffs = {name: mutmut.diff(name) for name, code in outcomes.items() if code in SURVIVED}
    print(report(outcomes, diffs, reasons))


def sample(names: Sequence[str], count: int, seed: int) -> list[str]:
    """Some of the names; the same ones for the same seed."""
    chosen = list(names) if not count or count >= len(names) else random.Random(seed).sample(list(names), count)
    return sorted(chosen)


if __name__ == "__main__":
    main()
