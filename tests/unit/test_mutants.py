"""The runner of mutants: what it takes, what it copies, what it tells."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.mutants import copy
from tests.mutants.__main__ import Mutmut, report, sample
from tests.mutants.equivalent import Change, function_of, known
from tests.mutants.rooms import CORE, NOT_HELPFUL, ROOMS, TEXTS, files_of, ignored_for, room_of, seen_by
from tests.support import ROOT, wait_until

DIFF = """\
--- hub/stats/rates.py
+++ hub/stats/rates.py
@@ -1,3 +1,3 @@
 def sample(self, now):
-    self.now = now - 1
+    self.now = now + 1
     return
"""
NAME = "hub.stats.rates.xǁRatesǁsample__mutmut_15"
CHANGE = Change("hub.stats.rates.Rates.sample", "self.now = now - 1", "self.now = now + 1")


def test_all_rooms_and_their_tests_are_there() -> None:
    paths = [*ROOMS, *seen_by(ROOMS), *NOT_HELPFUL]
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("path", "room"),
    [
        ("hub/stats", "hub/stats"),
        ("hub/stats/rates.py", "hub/stats"),
        ("hub/statistics", None),
        ("hub/router.py", "hub/router.py"),
    ],
)
def test_a_file_is_in_a_room(path: str, room: str | None) -> None:
    assert room_of(path) == room


def test_a_room_is_its_files_without_the_folders_in_it() -> None:
    assert files_of(["hub/router.py", "hub/router.py"], ROOT) == ["hub/router.py"]
    found = files_of(["hub/store"], ROOT)
    assert "hub/store/writer.py" in found
    assert not any(path.startswith("hub/store/fsck/") for path in found)
    assert "hub/store/fsck/rows.py" in files_of(["hub/store/fsck"], ROOT)
    assert (room_of("hub/store/fsck/rows.py"), "hub/store/fsck" in CORE) == ("hub/store/fsck", False)
    assert (ignored_for(["hub/store"]), ignored_for(["hub/store/fsck"])) == ([*NOT_HELPFUL], [NOT_HELPFUL[1]])
    assert seen_by(["hub/stats", "hub/stats/rates.py"]) == ["tests/unit/stats"]


@pytest.mark.parametrize(
    ("line", "left_out"),
    [
        ("        self._log.error('a message', name)", True),
        ('        part_log("consumer", queue).error(text)', True),
        ("    text = 'it failed'", True),
        ("    self.text = None", False),
        ("    self._logs.append(1)", False),
    ],
)
def test_log_texts_are_left_out(line: str, left_out: bool) -> None:
    assert any(re.search(pattern, line) for pattern in TEXTS) is left_out


@pytest.mark.parametrize("room", ["hub", "hub/none.py", "tests/unit", "hub/stats/none.py"])
def test_what_is_no_room_is_told(room: str) -> None:
    command = [sys.executable, "-m", "tests.mutants", room]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, f"{room} is not in hub/queue, " in found.stderr) == (2, True)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        (NAME, "hub.stats.rates.Rates.sample"),
        ("hub.stats.outcomes.xǁRecentǁ__init____mutmut_2", "hub.stats.outcomes.Recent.__init__"),
        ("hub.stats.headline.x__behind__mutmut_52", "hub.stats.headline._behind"),
        ("hub.stats.samples.x_flow__mutmut_8", "hub.stats.samples.flow"),
    ],
)
def test_a_mutant_names_its_function(name: str, function: str) -> None:
    assert function_of(name) == function


def test_an_equivalent_mutant_is_known_by_its_change(tmp_path: Path) -> None:
    """The number in its name changes with every edit of the function."""
    entry = f"[[mutant]]\nfunction = '{CHANGE.function}'\nold = '{CHANGE.old}'\nnew = '{CHANGE.new}'\n"
    (tmp_path / "known.toml").write_text(f"{entry}reason = 'nobody reads it'\n")
    assert Change.of(NAME, DIFF) == CHANGE
    assert known(tmp_path / "known.toml") == {CHANGE: "nobody reads it"}
    (tmp_path / "known.toml").write_text(f"{entry}reason = ''\n")
    with pytest.raises(ValueError, match="has no reason"):
        known(tmp_path / "known.toml")


@pytest.mark.parametrize(
    ("old", "new", "nothing"),
    [
        ('cast("Word", x)', "cast(None, x)", True),
        ('cast("Word", x)', 'cast("XXWordXX", x)', True),
        ('cast("Word", x)', 'cast("Word", y)', False),
        ("zip(a, b, strict=True)", "zip(a, b, )", True),
        ("zip(a, b, strict=True)", "zip(a, b, strict=False)", True),
        ("zip(a, b, strict=True)", "zip(a, strict=True)", False),
        ("f(a, b)", "f(a, )", False),
        ("q.announce(False, False)", "q.announce(None, False)", True),
        ("q.announce(False, False)", "q.announce(False, None)", True),
        ("q.announce(False, False)", "q.announce(False, True)", False),
        ("f(call, at_once=False)", "f(call, at_once=None)", True),
        ("f(call, at_once=True)", "f(call, at_once=None)", False),
    ],
)
def test_a_type_and_a_check_of_lengths_are_never_noticed(old: str, new: str, nothing: bool) -> None:
    assert Change("f", old, new).nothing is nothing


def test_what_is_known_as_equivalent_is_still_in_the_code() -> None:
    for change in known():
        parts = change.function.split(".")
        files = [ROOT.joinpath(*parts[:count]).with_suffix(".py") for count in range(2, len(parts))]
        (file,) = filter(Path.exists, files)
        assert change.old in " ".join(file.read_text(encoding="utf-8").split()), change
        assert room_of(str(file.relative_to(ROOT))), change


def test_the_report_counts_what_was_noticed() -> None:
    outcomes: dict[str, int | None] = {"a.x_f__mutmut_1": 1, "a.x_f__mutmut_2": 36, NAME: 0, "a.x_g__mutmut_1": 33}
    diffs = {NAME: DIFF, "a.x_g__mutmut_1": "-a\n+b\n"}
    told = report(outcomes, diffs, {})
    assert f"hub.stats.rates.Rates.sample ({NAME})\n{DIFF}" in told
    assert told.endswith("2 of 4 mutants noticed (50.0%); no test runs it: 1, survived: 1; known as equivalent: 0")
    told = report(outcomes, diffs, {CHANGE: "why"})
    assert DIFF not in told
    assert told.endswith("2 of 3 mutants noticed (66.7%); no test runs it: 1; known as equivalent: 1")
    assert report({"a": 1}, {}, {}) == "1 of 1 mutants noticed (100.0%); none survived; known as equivalent: 0"


def test_a_seed_chooses_always_the_same() -> None:
    names = [f"a.x_f__mutmut_{number}" for number in range(100)]
    chosen = sample(names, 10, 1)
    assert chosen == sample(names, 10, 1) != sample(names, 10, 2)
    assert (len(chosen), sample(names, 0, 1), sample(names[:3], 10, 1)) == (10, sorted(names), names[:3])


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a release has no git")
def test_the_copy_has_all_that_the_tests_need_and_its_settings(tmp_path: Path) -> None:
    copy.make(tmp_path, ["hub/stats"])
    assert (tmp_path / "hub" / "backends").is_symlink()
    assert (tmp_path / "hub" / "backends" / "memory.py").exists()
    assert not (tmp_path / ".git").exists()
    settings = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["mutmut"]
    assert settings["only_mutate"] == files_of(["hub/stats"], ROOT)
    assert settings["pytest_add_cli_args_test_selection"] == ["tests/unit/stats"]


def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    """mutmut is played by a module that waits, with a child of its own."""
    (tmp_path / "mutmut.py").write_text(
        "import os, pathlib, signal\nos.fork()\npathlib.Path(f'pid{os.getpid()}').touch()\nsignal.pause()\n"
    )
    code = f"from tests.mutants.__main__ import Mutmut, Path; Mutmut(Path({str(tmp_path)!r}), 1).names()"
    runner = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(list(tmp_path.glob("pid*"))) == 2)
    runner.send_signal(2)
    runner.wait()
    wait_until(lambda: not any(Path(f"/proc/{path.name[3:]}/cwd").exists() for path in tmp_path.glob("pid*")))


def test_tests_that_fail_without_a_mutant_are_told(tmp_path: Path) -> None:
    (tmp_path / "mutmut.py").write_text("raise SystemExit(1)\n")
    with pytest.raises(SystemExit, match="do not pass on the copy"):
        Mutmut(tmp_path, 1).names()
