"""The samples of the guides: their own tests pass, their files are shown, their tables are good."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.configuration.loading import load
from tests.support import ROOT

DOCS = ROOT / "docs"
SAMPLES = DOCS / "samples"
GUIDES = ("guide.rst", "steering.rst", "operations.rst")


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("test_*.py")))
def test_the_samples_own_tests_pass(name: str, tmp_path: Path) -> None:
    """As an author would run them: in a directory of their own."""
    directory = shutil.copytree(SAMPLES, tmp_path / "samples")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", name]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_every_sample_is_shown_in_a_guide() -> None:
    shown = set(re.findall(r"literalinclude:: samples/(\S+)", "".join(map(text_of, GUIDES))))
    assert shown == {str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*") if path.suffix in (".py", ".conf")}


TABLES = [
    pytest.param(block, id=f"{name}-{number}")
    for name in GUIDES
    for number, block in enumerate(re.findall(r"\.\. code-block:: toml\n\n((?:    .*\n|\n)+)", text_of(name)))
]


@pytest.mark.parametrize("block", TABLES)
def test_the_tables_in_the_guides_are_good(block: str, tmp_path: Path) -> None:
    shutil.copytree(SAMPLES, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "hub.conf"
    file.write_text(re.sub(r"^    ", "", block, flags=re.MULTILINE))
    assert load(file, (), {})


@pytest.mark.parametrize("file", sorted(SAMPLES.rglob("*.conf")), ids=lambda path: str(path.relative_to(SAMPLES)))
def test_the_configurations_of_the_samples_are_good(file: Path) -> None:
    found = load(file, (), {})
    assert found.consumers
    assert found.backends


def test_no_python_in_the_guides_is_outside_of_the_samples() -> None:
    for name in GUIDES:
        assert "code-block:: python" not in text_of(name)
