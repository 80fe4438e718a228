"""What ``--json`` prints is JSON in ASCII: a terminal obeys nothing in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cli.json_output import json_text
from tests.support import ROOT
from tests.unit.cli.test_steering_cli import hub, run
from tests.unit.cli.top.hub_double import HubDouble, letter, row
from tests.unit.command import Run

__all__ = ["hub", "run"]

EVIL = "\x9b31m \x7f \u202e \u2066 \u200f \x1b[2J \u2028 \ud7ff \U0001f600 \U000e0001 é"
EVIL_KEY = {EVIL: EVIL}


@given(st.recursive(st.none() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])), st.lists))
def test_it_says_the_same_in_ascii(document: object) -> None:
    for indented in (False, True):
        text = json_text(document, indented)
        assert json.loads(text) == document
        assert text.replace("\n", "").isascii()
        assert text.replace("\n", "").isprintable()
    assert "\n" not in json_text(document)


@pytest.mark.parametrize(
    "arguments",
    [
        ("dead", "list", "slow"),
        ("dead", "list", "slow", "--group"),
        ("dead", "show", "slow", "1"),
        ("refused", "list", "bus"),
        ("refused", "show", "bus", "1"),
        ("queue", "peek", "slow"),
        ("queue", "list"),
        ("queue", "show", "slow"),
        ("status",),
        ("tail", "--count", "1"),
    ],
)
def test_no_subcommand_hands_a_terminal_what_it_obeys(run: Run, hub: HubDouble, arguments: tuple[str, ...]) -> None:
    hub.consumers["slow"] = row(error=EVIL, topics=[EVIL])
    evil = letter(1, topic=EVIL, reason=EVIL, headers=EVIL_KEY, body=EVIL)
    for path, found in (("/dead/slow", "dead_letters"), ("/refused/bus", "refused")):
        hub.answers[path] = hub.answers[f"{path}?number=1"] = {found: [evil]}
    hub.answers["/peek/slow?count=10"] = {"messages": [{"topic": EVIL, "body": EVIL_KEY}]}
    vars(hub)["lines"] = lambda path, pattern: iter([{"topic": EVIL, "body": EVIL_KEY}])
    code, out, err = run(*arguments, "--json")
    assert (code, err) == (0, "")
    assert EVIL in texts(json.JSONDecoder().raw_decode(out)[0])
    assert out.isascii()
    assert out.replace("\n", "").isprintable()


def texts(document: object) -> list[str]:
    if isinstance(document, dict):
        return [text for pair in document.items() for one in pair for text in texts(one)]
    if isinstance(document, list):
        return [text for one in document for text in texts(one)]
    return [document] if isinstance(document, str) else []


def test_no_subcommand_prints_json_by_another_way() -> None:
    cli = ROOT / "hub" / "cli"
    found = {str(path.relative_to(cli)) for path in cli.rglob("*.py") if "json.encode" in path.read_text("utf-8")}
    for_people, for_files, for_the_bus = "tail.py", "top/preferences.py", "publish.py"
    assert found == {"json_output.py", for_people, for_files, for_the_bus}
