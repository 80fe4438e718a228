"""What a subcommand says when it fails: in words, in JSON where that was asked for, and with which exit code."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from hub.errors import CannotPublish, OrderRefused
from tests.unit.cli.test_steering_cli import hub, run
from tests.unit.cli.top.hub_double import HubDouble
from tests.unit.command import Run

__all__ = ["hub", "run"]


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (("queue", "resume", "slow"), 69, "not now"),
        (("publish", "a", "--through-hub"), 69, "not now"),
        (("queue", "pause", "slow"), 65, "the bus does not take it"),
        (("check", "-c", "none.conf"), 78, "none.conf: can't be read: No such file or directory"),
        (("status", "-c", "none.conf"), 78, "none.conf: can't be read: No such file or directory"),
        (("trace", "x", "--within", "never"), 64, "expected a duration such as"),
        (("frobnicate",), 64, "No such command 'frobnicate'."),
        (("fsck",), 66, "there is no store in "),
    ],
)
def test_a_failure_is_json_too(run: Run, hub: HubDouble, arguments: tuple[str, ...], code: int, problem: str) -> None:
    hub.answers |= dict.fromkeys(("/resume", "/publish"), OrderRefused("not now"))
    hub.answers["/pause"] = CannotPublish("the bus does not take it")
    found, out, err = run(*arguments, "--json")
    (told,) = json.loads(out)["problems"]
    assert (found, problem in told) == (code, True)
    assert problem in err or arguments[0] == "check"
    found, out, err = run(*arguments)
    assert (found, out, problem in err) == (code, "", True)


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_where_the_answer_is_no_or_there_is_none_it_says_that_nothing_was_done(
    run: Run, hub: HubDouble, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    code, out, err = run("queue", "purge", "slow")
    assert (code, out, err.splitlines()[-1]) == (130, "", "hubbub: nothing was done")
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    code, out, _ = run("queue", "purge", "slow", "--json")
    assert (code, json.loads(out)) == (130, {"problems": ["nothing was done"]})
    assert hub.orders == []


def test_an_interrupt_needs_no_words(run: Run, hub: HubDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    hub.answers["/status"] = interrupted
    code, out, err = run("status", "--json")
    assert (code, out, err.strip()) == (130, "", "")


def test_a_replay_without_a_terminal_prints_what_it_says_only(
    run: Run, hub: HubDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [{"replayed": 3, "at": 1.0}, {"replayed": 6, "at": None, "done": True}]
    vars(hub)["post_lines"] = lambda path, order: iter(lines)
    assert run("replay", "slow", "--since", "1h") == (0, "6 messages were given to slow again\n", "")
    assert json.loads(run("replay", "slow", "--since", "1h", "--json")[1])["replayed"] == 6


def test_a_mistake_in_the_file_is_a_warning_of_one_line(run: Run, hub: HubDouble, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "hub.sock").touch()
    (tmp_path / "hub.conf").write_text("[hub]\nlog_level = 5\n[consumers.x]\ntype = 'gone.py:Gone'\n")
    assert run("queue", "resume", "slow") == (0, "slow is running, 545 messages wait\n", "")
    (tmp_path / "hub.conf").write_text("[hub\n")
    code, out, err = run("queue", "resume", "slow")
    assert (code, out) == (0, "slow is running, 545 messages wait\n")
    assert err.startswith(f"hubbub: {tmp_path}/hub.conf:1:5: not TOML: ")
    assert err.endswith(f"; using the control socket {tmp_path}/state/hub.sock\n")
