"""A run of tests that leaves a process fails, and says which test left it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import PATIENCE, ROOT, free_port, wait_until

CONFTEST = """
from tests.leftovers import Leftovers

def pytest_configure(config):
    config.pluginmanager.register(Leftovers(grace=0.2))
"""
CLEAN = """
import subprocess

def test_one_that_waits():
    assert subprocess.run(["true"]).returncode == 0
"""
CHILD = """
import subprocess

def test_one_that_forgets():
    subprocess.Popen(["sleep", "1000.{number}"])
"""
ORPHAN = """
import subprocess

def test_one_that_forgets():
    subprocess.run(["sh", "-c", "setsid sleep 1000.{number} >/dev/null 2>&1 &"], check=True)
"""
WITHOUT_ENVIRONMENT = """
import subprocess

def test_one_that_forgets():
    subprocess.Popen(["env", "-i", "/bin/sleep", "1000.{number}"])
"""


def run(directory: Path, test: str) -> subprocess.CompletedProcess[str]:
    (directory / "conftest.py").write_text(CONFTEST)
    (directory / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=60 * PATIENCE
    )


def test_a_run_that_leaves_nothing_passes(tmp_path: Path) -> None:
    done = run(tmp_path, CLEAN)
    assert done.returncode == 0, done.stdout
    assert "left behind" not in done.stdout


@pytest.mark.parametrize(
    ("test", "named"),
    [
        pytest.param(CHILD, "test_it.py::test_one_that_forgets", id="child"),
        pytest.param(ORPHAN, "test_it.py::test_one_that_forgets", id="orphan"),
        pytest.param(WITHOUT_ENVIRONMENT, "an unknown test", id="child without an environment"),
    ],
)
def test_a_process_that_is_left_is_named_ended_and_fails_the_run(tmp_path: Path, test: str, named: str) -> None:
    number = free_port()  # unlike that of any other sleep on this machine
    done = run(tmp_path, test.format(number=number))
    assert done.returncode == 1, done.stdout
    assert "1 passed" in done.stdout
    assert f"sleep 1000.{number} (process " in done.stdout
    assert f"was left running by {named}" in done.stdout
    wait_until(lambda: not sleeping(number), 10, "the process to be gone")


def sleeping(number: int) -> list[Path]:
    wanted = f"sleep\0001000.{number}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().endswith(wanted):
                found.append(path)
        except OSError:  # it has ended meanwhile
            continue
    return found
