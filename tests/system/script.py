"""A client's script in a process of its own, whose lines a test reads one by one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType

from tests.support import PATIENCE


class Script:
    """``with Script(directory, "client.py", source, interpreter, ...) as script:``.

    :param source: it must flush what it prints. :param arguments: for the script.
    """

    def __init__(self, directory: Path, name: str, source: str, interpreter: str, *arguments: str) -> None:
        file = directory / name
        file.write_text(source, encoding="utf-8")
        self._command = [interpreter, str(file), *arguments]
        self._errors = directory / f"{name}.errors"
        self._process: subprocess.Popen[str]

    def __enter__(self) -> Script:
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=errors, text=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
        if kind is not None:
            sys.stderr.write(self._errors.read_text(errors="replace")[-5000:])

    def line(self) -> str:
        """The next line, when it comes; fail if the script has ended instead."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"{self._command[1]} has ended: {self._errors.read_text(errors='replace')[-5000:]}"
        return line.removesuffix("\n")

    def ended(self) -> int:
        """Its exit code, when it has ended."""
        return self._process.wait(60 * PATIENCE)
