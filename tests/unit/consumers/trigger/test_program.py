"""Where the program of a command is, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.consumers.trigger.program import located, problem
from hub.errors import HubError


@pytest.fixture
def program(tmp_path: Path) -> Path:
    made = tmp_path / "program"
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    return made


def test_a_path_is_taken_as_it_is_and_a_name_is_searched(program: Path) -> None:
    assert problem(str(program), "/nonexistent") is None
    assert located(str(program), "/nonexistent") == str(program)
    assert located("program", f"/nonexistent:{program.parent}") == str(program)


def test_what_can_not_be_run_is_told_with_the_reason(program: Path, tmp_path: Path) -> None:
    program.chmod(0o644)
    for name, text in {
        "bin/program": "expected an absolute path, or a name to search in PATH, not 'bin/program'",
        "program": f"no program 'program' is in PATH, {tmp_path}",
        "": f"no program '' is in PATH, {tmp_path}",
        str(program): f"{program} is not executable: chmod +x {program}",
        str(tmp_path): f"{tmp_path} is not a file",
        f"{tmp_path}/none": f"there is no program {tmp_path}/none: No such file or directory",
        f"{program}/none": f"there is no program {program}/none: Not a directory",
    }.items():
        assert problem(name, str(tmp_path)) == text
        with pytest.raises(HubError, match=r"^" + text.replace("+", r"\+") + "$"):
            located(name, str(tmp_path))


def test_a_program_that_everybody_may_write_is_not_run(program: Path) -> None:
    program.chmod(0o777)
    assert f"{program} can be written by every user" in (problem(str(program), "") or "")


def test_one_that_only_somebody_else_may_run_is_no_fault_of_the_configuration(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.consumers.trigger.program.os.access", lambda *_: False)
    assert problem(str(program), "") is None
    with pytest.raises(HubError, match="can't be run by this user"):
        located(str(program), "")
