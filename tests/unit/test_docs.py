"""The documents say what the code says."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate_settings import PLACE, render
from hub import entrypoints
from hub.configuration.loading import load
from hub.configuration.sections import SECTIONS
from hub.jobs import Jobs
from hub.status.catalogue import CATALOGUE, StatusSection
from hub.units import parse_duration
from tests.support import ROOT


def test_the_settings_reference_is_that_of_the_declarations() -> None:
    assert PLACE.read_text(encoding="utf-8") == render(), "run: python -m docs.generate_settings"


def test_the_consumer_of_the_reference_compiles_and_is_a_good_one() -> None:
    text = (ROOT / "docs" / "consumers.rst").read_text(encoding="utf-8")
    found: dict[str, object] = {}
    for code in blocks("python", text):
        exec(compile(code, "consumers.rst", "exec"), found)
    assert any(getattr(value, "__module__", "") == "builtins" for value in found.values())


def test_the_readmes_files_are_good_and_its_test_passes(tmp_path: Path) -> None:
    """Each begins with its name."""
    text = (ROOT / "README.rst").read_text(encoding="utf-8")
    for code in blocks("python", text):
        (tmp_path / code.split()[1].rstrip(";")).write_text(code)
    (configuration,) = blocks("toml", text)
    (tmp_path / "hub.conf").write_text(configuration)
    found = load(tmp_path / "hub.conf", (), {})
    assert {section for section in SECTIONS if found.of(section)} == {"backends", "consumers", "exporters"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_hello.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert "1 passed" in done.stdout, done.stdout


def test_the_readme_names_the_buses_that_there_are() -> None:
    text = (ROOT / "README.rst").read_text(encoding="utf-8")
    assert set(re.findall(r'\(``type = "([\w-]+)"``\)', text)) == set(entrypoints.names("hub.backends"))


def test_the_room_of_every_module_is_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.rst").read_text(encoding="utf-8")
    told = {part for name in re.findall(r"``([\w./]+)``", text) for part in re.split(r"[/.]", name)}
    folders = ["", "control", "interfaces", "parts", "workers", "queue", "stats", "logs"]
    paths = [path for folder in folders for path in (ROOT / "hub" / folder).iterdir()]
    modules = {path.stem for path in paths if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert modules - told - {"__init__"} == set()


@pytest.mark.parametrize("section", CATALOGUE, ids=lambda section: section.name)
def test_the_operators_tables_have_every_number(section: StatusSection) -> None:
    text = (ROOT / "docs" / "operations.rst").read_text(encoding="utf-8")
    missing = [metric.key for metric in section.metrics if f"``{metric.key}``" not in text]
    assert missing == [], "each wants a row in 'The numbers, and what to do'"


def test_the_table_of_options_of_jobs_is_that_of_the_class() -> None:
    text = (ROOT / "docs" / "jobs.rst").read_text(encoding="utf-8")
    told = dict(
        re.findall(r"(?m)^``(\w+)`` +(\S.*?)?  +\S", text.partition("\nOptions\n---")[2].partition("\nErrors\n---")[0])
    )
    options = {name: one.default for name, one in inspect.signature(Jobs).parameters.items()}
    assert list(told) == list(options)
    units = {"s": 1, "day": 86400, "days": 86400, "week": 7 * 86400}
    for name, default in options.items():
        if name in ("lease", "longest_poll") or name.startswith("keep_"):
            number, unit = told[name].split()
            assert float(number) * units[unit] == parse_duration(default), name
        elif isinstance(default, int) and not isinstance(default, bool):
            assert int(told[name].replace(",", "")) == default, name
        elif name in ("queues", "notify", "migrate", "state_dir"):
            assert told[name].strip("`") in (repr(default), repr(default).replace("'", '"')), name


def blocks(language: str, text: str) -> list[str]:
    """The code in it."""
    found = re.findall(rf"\.\. code-block:: {language}\n\n((?:    .*\n|\n)+)", text)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in found]
