"""Every ``hubbub`` command that a document shows exists, with its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hub.cli import cli
from tests.support import ROOT

DOCUMENTS = sorted([*(ROOT / "docs").glob("*.rst"), ROOT / "README.rst"])
_BLOCK = re.compile(r"^( *)\.\. code-block:: console\n\n((?:\1    .*\n|\n)+)", re.M)
_INLINE = re.compile(r"``(hubbub\s[^`]+)``")
PLACEHOLDERS = ("COMMAND", "VERB", "X")


def commands(path: Path) -> Iterator[str]:
    """What is to be typed, from ``hubbub`` on."""
    text = path.read_text(encoding="utf-8")
    for _, block in _BLOCK.findall(text):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            for piece in re.split(r"\"?\$\(|\)\"?| \| |  +#", line.strip()):
                if found := re.match(r"(?:[$#] )?(?:/\S+/)?(hubbub .*)", piece):
                    yield found[1]
    if path.name != "command.rst":
        for found in _INLINE.findall(text):
            yield " ".join(found.split())


def problem(text: str) -> str:
    """Why it is none; empty: it is one."""
    try:
        words = shlex.split(text)[1:]
    except ValueError as error:
        return str(error)
    command: click.Command = cli
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        if words[0] in PLACEHOLDERS:
            return ""
        found = command.get_command(click.Context(command), words.pop(0))
        if found is None:
            return "there is no such command"
        command = found
    context = click.Context(command)
    known = {
        option for parameter in command.get_params(context) for option in [*parameter.opts, *parameter.secondary_opts]
    }
    for word in words:
        if re.match(r"-[-a-z]", word) and word.partition("=")[0] not in known:
            return f"{command.name} has no {word}"
    return ""


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_exists(path: Path) -> None:
    assert {text: why for text in commands(path) if (why := problem(text))} == {}


def test_a_wrong_one_would_be_found(tmp_path: Path) -> None:
    path = tmp_path / "a.rst"
    path.write_text(
        ".. code-block:: console\n\n    $ hubbub queue lst | less\n    $ hubbub dead list a --colour  # red\n\n"
        "See ``hubbub status --json`` and ``hubbub\nreload``.\n"
    )
    assert [problem(text) for text in commands(path)] == [
        "there is no such command",
        "list has no --colour",
        "",
        "",
    ]
