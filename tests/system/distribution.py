"""The sdist and its wheel, really built, and an environment in which the wheel is installed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support import PATIENCE, ROOT


@dataclass(frozen=True)
class Distribution:
    """What one builds from this checkout. :param wheel: was built from the sdist alone."""

    sdist: Path
    wheel: Path


def build(directory: Path) -> Distribution:
    """Both, in ``directory``."""
    command = [sys.executable, "-m", "build", "--outdir", str(directory), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300 * PATIENCE)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (sdist,) = directory.glob("*.tar.gz")
    (wheel,) = directory.glob("*.whl")
    return Distribution(sdist, wheel)


def install(wheel: Path, venv: Path, python: str = sys.executable) -> Path:
    """A virtual environment with the wheel in it. Returns the directory of its commands."""
    subprocess.run([python, "-m", "venv", str(venv)], check=True, capture_output=True)
    pip = [str(venv / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=300 * PATIENCE)
    assert done.returncode == 0, done.stderr[-3000:]
    return venv / "bin"
