"""The documents are plain reStructuredText: a forge, which has no Sphinx, shows all of each."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from tests.support import ROOT

DOCUMENTS = sorted([*(ROOT / "docs").glob("*.rst"), ROOT / "README.rst", ROOT / "CHANGELOG.rst"])
FOR_SPHINX = {"api.rst": "automodule", "index.rst": "toctree"}
"""Directives that a forge leaves out. The page names in plain text what they would show."""
SETTINGS = {"report_level": 2, "halt_level": 5, "syntax_highlight": "none", "file_insertion_enabled": False}
"""As forges have them: nothing is taken in from another file."""


def read(text: str, path: Path, warnings: Any) -> nodes.document:
    """As docutils alone understands it."""
    settings = {**SETTINGS, "warning_stream": warnings}
    return publish_doctree(text, source_path=str(path), settings_overrides=settings)


def problems(text: str, path: Path) -> list[str]:
    """What a forge would show as an error, or leave out."""
    if directive := FOR_SPHINX.get(path.name):
        text = re.sub(rf"^\.\. {directive}::.*\n((?:   .*)?\n)+", "", text, flags=re.M)
    warnings = io.StringIO()
    tree = read(text, path, warnings)
    links = [link["refuri"] for link in tree.findall(nodes.reference) if "refuri" in link]
    links += [image["uri"] for image in tree.findall(nodes.image)]
    gone = [
        f"no such file: {link}"
        for link in links
        if not re.match(r"\w+:", link) and not (path.parent / link.partition("#")[0]).exists()
    ]
    return [*warnings.getvalue().splitlines(), *gone]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_forge_shows_all_of_it(path: Path) -> None:
    assert problems(path.read_text(encoding="utf-8"), path) == []


@pytest.mark.parametrize(
    "text",
    [
        "See :doc:`guide`.\n",
        "See :ref:`twice`.\n",
        "See :class:`hub.Consumer`.\n",
        ".. literalinclude:: samples/badges.py\n",
        ".. include:: guide.rst\n",
        ".. only:: html\n\n   Text.\n",
        ".. code-block:: python\n   :caption: a.py\n\n   pass\n",
        ".. toctree::\n\n   guide\n",
        "See `this <nowhere.rst>`_.\n",
        ".. image:: images/nowhere.png\n",
    ],
)
def test_what_it_would_not_show_is_found(text: str) -> None:
    assert problems(text, ROOT / "docs" / "guide.rst") != []


def test_the_first_page_links_each_page_that_the_menu_has() -> None:
    text = (ROOT / "docs" / "index.rst").read_text(encoding="utf-8")
    in_the_menu = set(re.findall(r"^   ([a-z-]+)$", text, re.M))
    assert in_the_menu == {path.stem for path in DOCUMENTS if path.parent.name == "docs"} - {"index"}
    assert in_the_menu <= set(re.findall(r"<([\w-]+)\.rst>`_", text))
