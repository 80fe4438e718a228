"""The completion of real shells, with and without a hub that runs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.cli.names import TIMEOUT
from tests.support import PATIENCE, require
from tests.system.hubs import HUBBUB, RunningHub

pytestmark = pytest.mark.system

CONFIGURATION = """
[backends.bus]
type = "memory"
[consumers.badges]
type = "slow"
[consumers.badge-two]
type = "slow"
[consumers.wiki]
type = "slow"
"""
BASH = """
eval "$(hubbub completion bash)"
COMP_WORDS=({words} "{incomplete}"); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_hubbub_completion hubbub
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
# What zsh would offer is caught where click's function hands it over.
ZSH = """
compdef() {{ :; }}
_describe() {{ print -rl -- "${{completions_with_descriptions[@]}}"; }}
compadd() {{ print -rl -- "${{completions[@]}}"; }}
commands[hubbub]=1
eval "$(hubbub completion zsh)"
words=({words} "{incomplete}"); CURRENT=${{#words[@]}}
_hubbub_completion hubbub
"""
FISH = """
hubbub completion fish | source
complete --do-complete "{words} {incomplete}"
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with RunningHub(tmp_path_factory.mktemp("hub"), CONFIGURATION) as running:
        yield running


def complete(shell: str, directory: Path, words: str, incomplete: str = "") -> set[str]:
    """What that shell offers after these words."""
    require(shutil.which(shell) is not None, f"{shell} is not installed")
    options = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    script = SCRIPTS[shell].format(words=words, incomplete=incomplete)
    path = f"{HUBBUB.parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "HOME": str(directory)}
    done = subprocess.run(
        [shell, *options, "-c", script], cwd=directory, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    return {line.partition("\t")[0].partition(":")[0].strip() for line in done.stdout.splitlines()} - {""}


@pytest.mark.parametrize("shell", SCRIPTS)
def test_a_shell_completes_subcommands_options_and_the_names_of_consumers(hub: RunningHub, shell: str) -> None:
    assert complete(shell, hub.directory, "hubbub", "sta") == {"status"}
    assert complete(shell, hub.directory, "hubbub queue", "p") == {"pause", "peek", "purge"}
    assert "--until" in complete(shell, hub.directory, "hubbub queue pause", "--")
    assert complete(shell, hub.directory, "hubbub queue pause", "w") == {"wiki"}
    assert complete(shell, hub.directory, "hubbub threads") == {"badges", "badge-two", "wiki"}
    assert complete(shell, hub.directory, "hubbub dead list", "b") == {"badges", "badge-two"}
    assert complete(shell, Path("/"), f"hubbub threads -c {hub.file}", "w") == {"wiki"}
    assert complete(shell, hub.directory, "hubbub completion", "z") == {"zsh"}


@pytest.mark.parametrize("shell", SCRIPTS)
@pytest.mark.parametrize("configuration", [None, "not TOML", CONFIGURATION])
def test_without_a_hub_no_name_is_completed_and_nothing_is_said(
    tmp_path: Path, shell: str, configuration: str | None
) -> None:
    if configuration is not None:
        (tmp_path / "hub.conf").write_text(configuration)
    assert complete(shell, tmp_path, "hubbub threads", "b") == set()


def test_a_hub_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "hub.conf").write_text(CONFIGURATION)
    (tmp_path / "state").mkdir()
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "state" / "hub.sock"))
        silent.listen()
        began = time.monotonic()
        assert complete("bash", tmp_path, "hubbub threads", "b") == set()
        assert time.monotonic() - began < TIMEOUT + 10 * PATIENCE
