"""Check that the newest releases of all required packages are installed, as far as setup.py allows them.

Usage: uv pip list --outdated --format json | python contrib/newest.py
Exit code 1: another package holds one back, so the tests do not run on the newest. Packages that only tests and tools
need are listed, but do not fail the check.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOOLS = ("test", "docs", "charts")
"""Extras that the program itself does not use."""


def main() -> int:
    """Print all packages that are held back. :returns: the exit code."""
    wanted: dict[str, Requirement] = {}
    needed: set[str] = set()
    for requirement in map(Requirement, requires("hubbub") or []):
        name = canonicalize_name(requirement.name)
        wanted[name] = requirement
        if not any(f'"{extra}"' in str(requirement.marker) for extra in TOOLS):
            needed.add(name)
    held = False
    for package in json.load(sys.stdin):
        name, there = canonicalize_name(package["name"]), package["latest_version"]
        if name in wanted:
            admitted = wanted[name].specifier.contains(there)
            held |= admitted and name in needed
            why = "held back by another package" if admitted else f"not admitted by setup.py: {wanted[name].specifier}"
            sys.stdout.write(f"{name} is {package['version']}; {there} is {why}\n")
    return 1 if held else 0


if __name__ == "__main__":
    sys.exit(main())
