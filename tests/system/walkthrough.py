"""Reads a document from top to bottom and does what it says, in a directory of its own.

A block of code after a line that is a name and a colon is a file to be written. Of a ``console`` block each line that
begins with ``$`` is a command for the shell, which must end with 0; what follows it must be what it prints. Numbers
and ids may differ, ``...`` stands for anything, and as a line of its own for any lines. ``$ hubbub run`` starts a hub
that stays.
"""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import PATIENCE, free_port
from tests.system.hubs import HUBBUB, RunningHub

_FILE = re.compile(r"^``(?P<name>[\w./-]+)``:\n\n\.\. code-block:: (?!console)\w+\n\n(?P<text>(?:    .*\n|\n)+)", re.M)
_CONSOLE = re.compile(r"^\.\. code-block:: console\n\n(?P<block>(?:    .*\n|\n)+)", re.M)
_READS = re.compile(
    r"hubbub (status|dead (list|show)|queue (list|show|peek)|job (queues|show|peek|errors(?! .*--follow))"
    r"|threads(?! .*--count)|trace|check)|^grep|^tail|^jq"
)
_PORTS = ("9940", "9941", "61613")
SOON = 30.0
"""Seconds until what is only looked at must be as the document says."""


@dataclass
class Write:
    """A file to be written."""

    name: str
    text: str


@dataclass
class Command:
    """A line for the shell, and what it prints; empty: whatever."""

    text: str
    expected: list[str] = field(default_factory=list)

    @property
    def reads(self) -> bool:
        """True if it changes nothing, so that it may be given again."""
        return bool(_READS.search(self.text)) or ("curl" in self.text and " -d" not in self.text)


def steps(document: Path) -> Iterator[Write | Command]:
    """What there is to do, in order."""
    text = document.read_text(encoding="utf-8")
    found = sorted([*_FILE.finditer(text), *_CONSOLE.finditer(text)], key=lambda match: match.start())
    for match in found:
        if "name" in match.groupdict():
            yield Write(match["name"], textwrap.dedent(match["text"]).rstrip("\n") + "\n")
        else:
            yield from _commands(match["block"])


def _commands(block: str) -> Iterator[Command]:
    command: Command | None = None
    for line in block.splitlines():
        line = line[4:]
        if command is not None and command.text.endswith("\\"):
            command.text = command.text[:-1] + line.strip()
        elif line.startswith("$ "):
            if command is not None:
                yield command
            command = Command(line[2:])
        elif command is not None and line.strip():
            command.expected.append(line)
    if command is not None:
        yield command


class Walk:
    """``with Walk(directory) as walk: walk.through(document)``. Ends the hub that was started."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.hub: RunningHub | None = None
        self.done = 0
        self._ports = {port: str(free_port()) for port in _PORTS}
        self._stack = ExitStack()

    def __enter__(self) -> Walk:
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()

    def through(self, document: Path) -> None:
        """All of it."""
        for step in steps(document):
            if isinstance(step, Write):
                (self.directory / step.name).write_text(self._here(step.text))
            elif step.text == "hubbub run":
                configuration = (self.directory / "hub.conf").read_text(encoding="utf-8")
                self.hub = self._stack.enter_context(RunningHub(self.directory, configuration))
            else:
                self._carry_out(step)
            self.done += 1

    def _here(self, text: str) -> str:
        for port, free in self._ports.items():
            text = text.replace(port, free)
        return text

    def _carry_out(self, command: Command) -> None:
        deadline = time.monotonic() + SOON * PATIENCE
        while True:
            done = self._shell(command.text)
            matches = done.returncode == 0 and agrees(command.expected, done.stdout + done.stderr)
            if matches or not command.reads or time.monotonic() > deadline:
                break
        log = self.hub.log if self.hub is not None else ""
        told = f"$ {command.text}\n{done.stdout}{done.stderr}(exit code {done.returncode})"
        assert matches, f"{told}\nexpected:\n{chr(10).join(command.expected)}\nthe hub's log:\n{log[-3000:]}"

    def _shell(self, text: str) -> subprocess.CompletedProcess[str]:
        path = f"{HUBBUB.parent}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "COLUMNS": "120", "HOME": str(self.directory)}
        command = ["bash", "-o", "pipefail", "-c", self._here(text)]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=self.directory,
            env=environment,
            timeout=60 * PATIENCE,
            check=False,
        )


def agrees(expected: list[str], printed: str) -> bool:
    """True if that is what the document says, but for numbers and ids."""
    if not expected:
        return True
    parts = [r"(?:.*\n)*?" if line.strip() == "..." else _pattern(line) + "\n" for line in expected]
    lines = [_plain(line) + "\n" for line in printed.splitlines() if line.strip()]
    return re.fullmatch("".join(parts), "".join(lines)) is not None


def _pattern(line: str) -> str:
    return ".*".join(re.escape(_plain(part)) for part in line.split("..."))


def _plain(line: str) -> str:
    line = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", line)
    return " ".join(re.sub(r"\d+(\.\d+)?", "N", line).split())
