"""Processes that tests leave behind. At the end of a run each is named with its test, ended, and fails the run.

A process belongs to the run by a mark in its environment, which children inherit, or as a descendant of pytest. One
that clears its environment and has lost its parent is not seen here; ``contrib/bare-debian.sh`` sees it, in a namespace
of its own.
"""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

MARK = "HUBBUB_TEST_RUN"
PROC = Path("/proc")
ENDED = "X"
ZOMBIE = ("Z", ENDED)
"""States, see proc(5), of a process that does nothing any more."""
EXECUTION = 2.0
"""Seconds that the kernel has at most, to execute a program."""
PYTHONS_OWN = "multiprocessing.resource_tracker"
"""Ends by itself when its parent does."""


@dataclass(frozen=True)
class Leftover:
    """A process that outlived the test which started it."""

    pid: int
    command: str
    test: str

    def __str__(self) -> str:
        return f"{self.command} (process {self.pid}) was left running by {self.test or 'an unknown test'}"


class Leftovers:
    """The plugin. :param grace: seconds that a process has at the end of the run, to end by itself."""

    def __init__(self, grace: float = 5.0) -> None:
        self._grace = grace
        self._mark = uuid.uuid4().hex
        self._found: list[Leftover] = []

    @pytest.hookimpl
    def pytest_sessionstart(self) -> None:
        """Mark what the run will start."""
        os.environ[MARK] = self._mark

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look for what is left, end it, and fail the run. After the fixtures of the session have ended theirs."""
        deadline = time.monotonic() + self._grace
        while (found := list(_find(self._mark))) and time.monotonic() < deadline:
            time.sleep(0.05)
        self._found = found
        for leftover in found:
            _kill(leftover.pid)
        if found and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name them."""
        if self._found:
            terminalreporter.section("processes left behind", red=True)
        for leftover in self._found:
            terminalreporter.line(str(leftover), red=True)


def _find(mark: str) -> Iterator[Leftover]:
    """Those of the run. One that is executing its program just now has neither words nor environment, and may have lost
    its parent: it is looked at again until it has them."""
    states = {int(path.name): _state(path) for path in PROC.iterdir() if path.name.isdigit()}
    parents = {pid: parent for pid, (state, parent) in states.items() if state not in ZOMBIE}
    for pid in parents:
        command = " ".join(_command(pid))
        environment = dict(word.partition("=")[::2] for word in _words(pid, "environ"))
        ours = environment.get(MARK) == mark or os.getpid() in _ancestors(pid, parents)
        if ours and pid != os.getpid() and PYTHONS_OWN not in command:
            yield Leftover(pid, command, environment.get("PYTEST_CURRENT_TEST", ""))


def _ancestors(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid := parents.get(pid, 0):
        yield pid


def _state(process: Path) -> tuple[str, int]:
    """One letter, and the parent's number."""
    try:
        state, parent = (process / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
        return state, int(parent)
    except OSError:  # it has ended meanwhile
        return ENDED, 0


def _command(pid: int) -> list[str]:
    deadline = time.monotonic() + EXECUTION
    while not (words := _words(pid, "cmdline")) and _has_program(pid) and time.monotonic() < deadline:
        time.sleep(0.001)
    return words


def _has_program(pid: int) -> bool:
    """False for one of the kernel's own, and for one that has ended."""
    try:
        (PROC / str(pid) / "exe").readlink()
    except OSError:
        return False
    return _state(PROC / str(pid))[0] not in ZOMBIE


def _words(pid: int, name: str) -> list[str]:
    try:
        text = (PROC / str(pid) / name).read_text(errors="replace")
    except OSError:  # it has ended meanwhile, or is another user's
        return []
    return [word for word in text.split("\0") if word]


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
