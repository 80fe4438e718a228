"""The ``hubbub`` command, run in the tests' process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub import cli

Run = Callable[..., tuple[int, str, str]]
"""Runs the command with these arguments; returns its exit code, its output and its errors."""


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["hubbub", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return run
