"""The page on shipping a consumer: its template can be built, installed, tested and named in ``hub.conf``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.unit.test_docs import blocks

pytestmark = pytest.mark.system

TEMPLATE = ROOT / "docs" / "samples" / "template"


def run(command: list[str], directory: Path, **environment: str) -> str:
    """What it prints; it must end well."""
    own = {**os.environ, **environment}
    done = subprocess.run(command, cwd=directory, env=own, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that has it as pip puts it into the hub's environment."""
    source = shutil.copytree(TEMPLATE, tmp_path_factory.mktemp("template") / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run([*pip, "--target", str(source.parent / "site"), "."], source)
    return source.parent / "site"


def test_its_own_tests_pass(tmp_path: Path) -> None:
    directory = shutil.copytree(TEMPLATE, tmp_path / "template")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    assert "2 passed" in run(command, directory, PYTHONPATH=str(directory))


def test_once_installed_its_name_is_enough(installed: Path, tmp_path: Path) -> None:
    *_, table = blocks("toml", (ROOT / "docs" / "shipping.rst").read_text(encoding="utf-8"))
    (tmp_path / "hub.conf").write_text(f'[backends.bus]\ntype = "memory"\n{table}')
    command = [str(Path(sys.executable).with_name("hubbub"))]
    assert "consumer greeter: greeter" in run([*command, "check"], tmp_path, PYTHONPATH=str(installed))
    assert "What a greeting begins with" in run([*command, "config", "--defaults"], tmp_path, PYTHONPATH=str(installed))
