"""What the guides say is done by a real hub, command by command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support import ROOT, require
from tests.system.walkthrough import Command, Walk, Write, agrees, steps

pytestmark = pytest.mark.system

DOCS = ROOT / "docs"


def walked(directory: Path, name: str) -> Walk:
    for program in ("bash", "curl", "jq"):
        require(shutil.which(program) is not None, f"{program} is not installed")
    with Walk(directory) as walk:
        walk.through(DOCS / name)
        assert walk.hub is not None
        walk.hub.stop()
        return walk


def test_the_authors_guide_can_be_followed(tmp_path: Path) -> None:
    walk = walked(tmp_path, "guide.rst")
    assert walk.done > 15
    assert walk.hub is not None
    walk.hub.logs("consumer.badges: ann pushed to kettle")
    walk.hub.logs("org.example.demo.badges.award")


def test_the_reader_of_documents_reads_what_it_should(tmp_path: Path) -> None:
    document = tmp_path / "a.rst"
    document.write_text(
        "``hub.conf``:\n\n.. code-block:: toml\n\n    [hub]\n\n    [backends.bus]\n\nText:\n\n"
        ".. code-block:: python\n\n    pass\n\n"
        ".. code-block:: console\n\n    $ first \\\n        more\n    out\n\n    $ second\n\nText.\n"
    )
    written, *commands = steps(document)
    assert written == Write("hub.conf", "[hub]\n\n[backends.bus]\n")
    assert commands == [Command("first more", ["out"]), Command("second")]


def test_what_is_printed_is_compared_but_for_numbers_and_ids() -> None:
    expected = ["a 1.5 2026-11b0dac1-2374-4546-bfa3-e2bfa00d7591", "...", "end ... of it"]
    assert agrees(expected, "a 2 2027-00000000-0000-4000-8000-000000000000\nx\ny\nend and that of it\n")
    assert agrees(["N 1"], "N   22\n")
    assert not agrees(["one"], "two\n")
    assert not agrees(["one"], "one\ntwo\n")
    assert agrees([], "anything")


def test_what_the_operators_page_says_happens(tmp_path: Path) -> None:
    walk = walked(tmp_path, "steering.rst")
    assert walk.done > 40
