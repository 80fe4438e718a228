"""Files as modules: with what is beside them, by a name that another process can import, and let go of."""

from __future__ import annotations

import gc
import pickle
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import files
from tests.support import ROOT


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)  # as of a hub
    path = list(sys.path)
    yield
    files.forget_others(())
    sys.path[:] = path
    for name in [name for name in files._beside if name in sys.modules]:
        del sys.modules[name]
    files._beside.clear()
    files._directories.clear()


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def value(path: Path) -> Any:
    return files.load(path).module.VALUE


def test_a_file_is_imported_once_until_it_changes(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py", "VALUE = 1\n")
    first = files.load(file)
    assert files.load(file) is first
    write(file, "VALUE = 2\n")
    second = files.load(file)
    assert value(file) == 2
    assert first.fingerprint != second.fingerprint


def test_an_edit_that_is_taken_back_is_a_module_of_its_own(tmp_path: Path) -> None:
    """What the first had, such as a pool, was closed meanwhile."""
    file = write(tmp_path / "mine.py", "VALUE = object()\n")
    first = value(file)
    write(file, "VALUE = 2\n")
    files.load(file)
    write(file, "VALUE = object()\n")
    assert value(file) is not first


def test_one_that_is_renewed_is_imported_anew(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py", "VALUE = object()\n")
    first = files.load(file)
    files.renew({first.module.__name__})
    second = files.load(file)
    assert second.module is not first.module
    assert second.module.__name__ != first.module.__name__
    assert second.fingerprint == first.fingerprint


def test_a_module_beside_the_file_is_found_and_its_changes_are_seen(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py", "from helper import VALUE\n")
    helper = write(tmp_path / "helper.py", "VALUE = 1\n")
    first = files.load(file)
    assert value(file) == 1
    assert files.load(file) is first
    write(helper, "VALUE = 2\n")  # as many bytes, within the same second
    assert value(file) == 2


def test_each_directory_has_its_own_helper(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name / "helper.py", f"VALUE = {name!r}\n")
        write(tmp_path / name / "mine.py", "from helper import VALUE\n")
    assert [value(tmp_path / name / "mine.py") for name in ("a", "b", "a")] == ["a", "b", "a"]


def test_what_is_installed_goes_before_what_is_beside(tmp_path: Path) -> None:
    write(tmp_path / "json.py", "VALUE = 'not this one'\n")
    assert value(write(tmp_path / "mine.py", "import json\nVALUE = json.dumps(1)\n")) == "1"


NAMED_ALIKE = """
import sys
from pathlib import Path
from hub import plugins
mine = plugins.load("hub.consumers", "mine.py:Mine", Path(sys.argv[1])).cls
print(mine.__module__, plugins.load("hub.consumers", "log", Path(sys.argv[1])).cls.__module__)
"""


def test_a_package_that_is_called_as_one_of_the_hubs_is_not_in_its_way(tmp_path: Path) -> None:
    write(tmp_path / "consumers" / "__init__.py", "")
    write(tmp_path / "consumers" / "badges.py", "class Mine: pass\n")
    write(tmp_path / "mine.py", "from consumers.badges import Mine\n")
    command = [sys.executable, "-P", "-c", NAMED_ALIKE, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("consumers.badges hub.consumers.log\n", "")


@pytest.mark.parametrize("name", ["mine.py", "with-dash.py", "a b/c.d/mine.py", "ünï.py"])
def test_another_process_can_import_it_by_its_name(tmp_path: Path, name: str) -> None:
    file = write(tmp_path / name, "def work(number): return number + 1\n")
    for text in ("", "# changed\n"):
        write(file, file.read_text() + text)
        work = files.load(file).module.work
        script = f"import pickle; print(pickle.loads({pickle.dumps(work)!r})(1))"
        done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert (done.stdout, done.stderr) == ("2\n", "")


def test_a_module_that_nobody_has_any_more_is_let_go_of(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py", "class Large: pass\nVALUE = Large()\n")
    old = weakref.ref(value(file))
    write(file, "VALUE = 2\n")
    new = files.load(file).module.__name__
    files.forget_others({new})
    gc.collect()
    assert old() is None
    assert new in sys.modules
    assert files.load(file).module.__name__ == new
    files.forget_others(())
    assert not [name for name in sys.modules if name.startswith(files.PREFIX)]


def test_one_that_fails_to_import_leaves_the_one_before(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py", "VALUE = 1\n")
    name = files.load(file).module.__name__
    write(file, "1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        files.load(file)
    assert [found for found in sys.modules if found.startswith(files.PREFIX)] == [name]


def test_a_module_beside_it_that_others_may_write_is_not_imported(tmp_path: Path) -> None:
    file = write(tmp_path / "mine.py", "from parts.words import VALUE\n")
    words = write(tmp_path / "parts" / "words.py", "VALUE = 1\n")
    assert value(file) == 1
    assert files.beside() == [words]
    words.chmod(0o666)
    words.write_text("VALUE = 'anybody'\n")
    with pytest.raises(ImportError, match=r"words\.py is not imported: .* can be written by every user"):
        files.load(file)


def test_what_is_saved_while_it_is_imported_is_a_change(tmp_path: Path) -> None:
    text = "from pathlib import Path\nVALUE = 1\nPath(__file__).write_text('VALUE = 22')\n"
    file = write(tmp_path / "mine.py", text)
    assert value(file) == 1
    assert value(file) == 22
