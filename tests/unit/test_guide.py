"""The samples of the guides: their own tests pass, their files are shown, their tables are good."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from hub.configuration.loading import load
from tests.support import ROOT

DOCS = ROOT / "docs"
SAMPLES = DOCS / "samples"
GUIDES = ("guide.rst", "steering.rst", "operations.rst")
PAGES = (*GUIDES, "shipping.rst", "jobs-thumbnails.rst", "many-machines.rst")


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


def blocks(name: str, languages: str = r"\w+") -> list[str]:
    """The code that a page shows."""
    found = re.findall(rf"\.\. code-block:: (?:{languages})\n\n((?:    .*\n|\n)+)", text_of(name))
    return [textwrap.dedent(block).rstrip("\n") + "\n" for block in found]


def samples(*suffixes: str) -> dict[str, str]:
    """Names and contents of all there are."""
    found = [path for path in SAMPLES.rglob("*") if path.suffix in suffixes]
    return {str(path.relative_to(SAMPLES)): path.read_text(encoding="utf-8") for path in found}


def test_every_sample_is_shown_in_a_guide() -> None:
    """Whole, but for one whose last part is enough."""
    shown = [block for name in PAGES for block in blocks(name)]
    missing = {name for name, text in samples(".py", ".conf", ".toml").items() if text not in shown}
    assert missing == {"test_others.py"}


def test_all_python_in_the_guides_is_that_of_the_samples() -> None:
    """The code on a page is what the samples' tests run, to the letter."""
    for name in PAGES:
        for block in blocks(name, "python"):
            assert any(text.endswith(block) for text in samples(".py").values()), block


@pytest.mark.parametrize(
    ("page", "file"), [("web.rst", "nginx/hubbub.conf"), ("snmp.rst", "snmp/snmpd.conf")], ids=lambda value: value
)
def test_a_shipped_file_that_a_page_shows_is_shown_as_it_is(page: str, file: str) -> None:
    assert (ROOT / "hub" / "templates" / file).read_text(encoding="utf-8") in blocks(page)


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
    assert found.of("consumers")
    assert found.of("backends")
