"""The manual pages: built as they are shipped, and read by the programs that people read them with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hub.configuration.defaults import documented
from tests.support import ROOT, require
from tests.unit.cli.test_command_docs import COMMANDS

pytestmark = pytest.mark.system

PAGES = ("hubbub.1", "hub.conf.5")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where they are."""
    directory = tmp_path_factory.mktemp("man")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-b",
        "man",
        "-d",
        str(directory / "trees"),
        "docs",
        str(directory),
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=100)
    return directory


def read(page: Path) -> str:
    """By ``man``, as plain text; what it complains of fails the test."""
    require(shutil.which("man") is not None, "man is not installed")
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "200", "MANPAGER": "cat", "MAN_KEEP_FORMATTING": ""}
    done = subprocess.run(
        ["man", "--warnings", "--local-file", str(page)], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_well_formed(pages: Path, page: str) -> None:
    require(shutil.which("mandoc") is not None, "mandoc is not installed")
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "error", str(pages / page)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_hubbub_1_names_each_subcommand(pages: Path) -> None:
    text = read(pages / "hubbub.1")
    assert "NAME hubbub - a message hub" in text
    assert [path for path in COMMANDS if f" {path} " not in text] == []


def test_hub_conf_5_names_each_setting(pages: Path) -> None:
    text = read(pages / "hub.conf.5")
    assert "NAME hub.conf - the configuration of hubbub" in text
    assert [name for _, _, _, model in documented() for name in model.model_fields if f" {name} (" not in text] == []
