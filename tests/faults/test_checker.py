"""The checker sees what it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.checker import Findings, Records
from tests.faults.rig import wants

pytestmark = pytest.mark.faults


def check(directory: Path, done: str, letters: list[int]) -> Findings:
    (directory / "offered").write_text("1 5\n5 11\n")
    (directory / "confirmed").write_text("1 5\n5 9\n")
    (directory / "consumer-q").write_text(done)
    return Records(directory).check("q", wants(0, 1, 2, 3), letters)


def test_all_is_well(tmp_path: Path) -> None:
    found = check(tmp_path, "done 1\ndone 2\nfailed 3\ndone 8\ndone 9\n", [3])
    assert found == Findings("q", 4 + 0, 4, 1, lost=frozenset(), repeats=0, unknown=frozenset())


def test_what_is_confirmed_and_neither_done_nor_dead_is_lost(tmp_path: Path) -> None:
    assert check(tmp_path, "done 1\nfailed 2\n", [3]).lost == {2, 8}


def test_what_was_not_confirmed_is_not_lost(tmp_path: Path) -> None:
    assert check(tmp_path, "done 1\ndone 2\ndone 3\ndone 8\n", []).lost == set()


def test_repeats_are_counted(tmp_path: Path) -> None:
    assert check(tmp_path, "done 1\ndone 1\ndone 1\ndone 2\n", [2, 3, 3]).repeats == 4


def test_what_was_never_offered_or_not_wanted_is_unknown(tmp_path: Path) -> None:
    assert check(tmp_path, "done 4\ndone 11\n", [77]).unknown == {4, 11, 77}
