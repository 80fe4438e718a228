"""Text for people."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from hub.cli.remote import row_of
from hub.errors import OrderRefused
from hub.text import MOST_NAMED, counted, some_of
from tests.support import ROOT

NOUNS = ("message", "dead letter", "thread", "attempt")
SOURCES = [path for room in ("hub", "backends", "consumers", "monitoring") for path in (ROOT / room).rglob("*.py")]


@pytest.mark.parametrize(("count", "text"), [(0, "0 messages"), (1, "1 message"), (2, "2 messages")])
def test_a_number_has_its_noun(count: int, text: str) -> None:
    assert counted(count, "message") == text


def test_of_many_names_some_are_named() -> None:
    names = [f"n{number}" for number in range(MOST_NAMED + 1)]
    assert (some_of([]), some_of(["a", "b"])) == ("none", "a, b")
    assert some_of(names[:-1]) == ", ".join(names[:-1])
    assert some_of(names) == f"{', '.join(names[:-1])} and 1 more"
    with pytest.raises(OrderRefused, match=r"n19 and 1 more$"):
        row_of({"consumers": {key: {} for key in names}}, "x")


def test_no_text_writes_a_plural_after_a_number_that_may_be_one() -> None:
    """``counted`` writes it; a number of a setting, which is never one, is let be."""
    assert [place for path in SOURCES for place in plurals(path)] == []


def plurals(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            for before, after in zip(node.values, node.values[1:], strict=False):
                text = after.value if isinstance(after, ast.Constant) else ""
                if isinstance(before, ast.FormattedValue) and str(text).startswith(
                    tuple(f" {noun}s" for noun in NOUNS)
                ):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return found
