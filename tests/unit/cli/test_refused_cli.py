"""``hubbub refused``, and ``dead show``, which asks for one letter only."""

from __future__ import annotations

from tests.unit.cli.test_steering_cli import hub, run
from tests.unit.cli.top.hub_double import HubDouble, letter
from tests.unit.command import Run

__all__ = ["hub", "run"]


def test_it_lists_those_of_all_backends(run: Run, hub: HubDouble) -> None:
    hub.answers["/refused/"] = {"refused": [letter(1, reason="no JSON", backend="bus")]}
    code, out, _ = run("refused", "list")
    assert code == 0
    assert out.startswith("bus ")
    assert "no JSON" in out


def test_it_says_that_there_are_none(run: Run, hub: HubDouble) -> None:
    hub.answers["/refused/"] = {"refused": []}
    assert run("refused", "list") == (0, "", "no refused messages\n")


def test_it_shows_one(run: Run, hub: HubDouble) -> None:
    hub.answers["/refused/bus?number=3"] = {"refused": [letter(3, body="{", backend="bus")]}
    code, out, _ = run("refused", "show", "bus", "3")
    assert code == 0
    assert "backend:     bus" in out
    assert "body:        {" in out


def test_one_that_is_not_there_is_said(run: Run, hub: HubDouble) -> None:
    hub.answers["/refused/bus?number=3"] = {"refused": []}
    code, _, err = run("refused", "show", "bus", "3")
    assert code == 64
    assert "bus has no refused message with the number 3" in err


def test_a_dead_letter_is_shown_without_the_others(run: Run, hub: HubDouble) -> None:
    hub.answers["/dead/slow?number=3"] = {"dead_letters": [letter(3)]}
    code, out, _ = run("dead", "show", "slow", "3")
    assert (code, "number:      3" in out) == (0, True)
    hub.answers["/dead/slow?number=4"] = {"dead_letters": []}
    code, _, err = run("dead", "show", "slow", "4")
    assert (code, "no dead letter with the number 4" in err) == (64, True)
