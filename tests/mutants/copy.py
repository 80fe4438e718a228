"""A copy of the repository for mutmut, which writes into the tree that it works on."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.rooms import TEXTS, files_of, ignored_for, seen_by
from tests.support import ROOT


def make(target: Path, rooms: Sequence[str]) -> None:
    """Copy all files that git knows or would take, and set mutmut up for these rooms.

    :raises ValueError: there is no such room, or this is no checkout.
    """
    settings = mutmut_settings(rooms)
    if not (ROOT / ".git").exists():
        raise ValueError(f"{ROOT} is no checkout of git, which knows what to copy")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists() or (ROOT / name).is_symlink():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    with (target / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(settings)


def mutmut_settings(rooms: Sequence[str]) -> str:
    """The section for ``pyproject.toml``."""
    # "hub" is copied too, since mutmut does not follow its links to the packages beside it.
    settings = {
        "source_paths": ["hub"],
        "only_mutate": files_of(rooms, ROOT),
        "do_not_mutate_patterns": [*TEXTS],
        "also_copy": ["hub", "backends", "consumers", "monitoring", "contrib", "docs", "setup.py"],
        "pytest_add_cli_args": [
            "-p",
            "no:cacheprovider",
            "--hypothesis-seed=0",
            *(f"--ignore={p}" for p in ignored_for(rooms)),
        ],
        "pytest_add_cli_args_test_selection": seen_by(rooms),
        "track_dependencies": False,
        "use_git_change_detection": False,
        "timeout_constant": 2.0,
    }
    return "\n[tool.mutmut]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
