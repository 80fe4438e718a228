"""``hubbub trace``: the verb on the control socket, and how its answer is shown."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from hub.cli.trace import detail, trace
from hub.deadletter import DeadLetter
from hub.errors import OrderRefused
from hub.message import Message
from tests.conftest import ReactorThread
from tests.unit.control_hub import ControlledHub


@pytest.fixture
def hub(reactor_thread: ReactorThread, tmp_path: Path) -> Iterator[ControlledHub]:
    made = ControlledHub(reactor_thread, tmp_path / "hub.sock")
    (tmp_path / "hub.conf").write_text(f'[hub]\ncontrol_socket = "{made.path}"\n')
    made.listen()
    yield made
    made.close()


def bury(hub: ControlledHub, id_: str, topic: str = "a.b") -> None:
    hub.bury("c", DeadLetter(Message(id_, topic, b"{}", {}, 12.5, "bus"), "no\x1b use", 2, 99.5, "KeyError"))


def shown(hub: ControlledHub, *arguments: str) -> str:
    done = CliRunner().invoke(trace, [*arguments, "-c", str(hub.path.with_name("hub.conf"))], catch_exceptions=False)
    return done.output


# -- the verb


@pytest.mark.parametrize("id_", ["7", "a/b c?é%", "x" * 300])
def test_a_message_is_found_by_its_id(hub: ControlledHub, id_: str) -> None:
    bury(hub, id_)
    answer = hub.client().get(f"/trace/{quote(id_, safe='')}")
    (message,) = answer["messages"]
    assert (answer["id"], answer["complete"], answer["reached"], answer["keep"]) == (id_, True, None, 0.0)
    assert (message["topic"], message["received_at"], message["backend"]) == ("a.b", 12.5, "bus")
    (fate,) = message["queues"]
    assert (fate["queue"], fate["state"], fate["number"], fate["attempts"]) == ("c", "dead letter", 1, 2)


def test_of_many_only_so_many_are_answered(hub: ControlledHub) -> None:
    for number in range(5):
        bury(hub, "7", f"a.{number}")
    some, all_ = (hub.client().get(f"/trace/7?most={most}") for most in (3, 5))
    assert [(len(answer["messages"]), answer["complete"]) for answer in (some, all_)] == [(3, False), (5, True)]


@pytest.mark.parametrize("query", ["?most=0", "?within=0", "?within=1000", "?since=x", "x" * 2000])
def test_what_can_not_be_understood_is_refused(hub: ControlledHub, query: str) -> None:
    with pytest.raises(OrderRefused):
        hub.client().get(f"/trace/7{query}")


# -- for people


def test_it_is_shown_in_lines(hub: ControlledHub) -> None:
    bury(hub, "7")
    lines = shown(hub, "7").splitlines()
    assert lines[0].endswith("by bus, topic a.b")
    assert lines[1].startswith("  c  dead letter  number 1, buried ")
    assert lines[1].endswith("after 2 attempts, no\\x1b use")


def test_what_is_not_there_is_said_plainly(hub: ControlledHub) -> None:
    text = "not in the store: not received, or settled in every queue and not kept (keep = 0s)\n"
    assert shown(hub, "none") == text


def test_it_is_json_for_programs(hub: ControlledHub) -> None:
    assert '"messages": []' in shown(hub, "none", "--json")


def test_wrong_times_are_wrong_use(hub: ControlledHub) -> None:
    assert "expected a duration" in shown(hub, "x", "--within", "soon")
    assert "expected an age" in shown(hub, "x", "--since", "then")


LONG_AGO = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(0))
FATE: dict[str, Any] = {
    **dict.fromkeys(("position", "before", "thread", "seconds", "due", "reason", "number", "buried_at")),
    "queue": "q",
    "attempts": 0,
}


@pytest.mark.parametrize(
    ("fate", "text"),
    [
        ({"state": "settled"}, ""),
        ({"state": "waiting", "before": 7}, "behind 7"),
        ({"state": "waiting"}, "behind many"),
        ({"state": "in flight", "thread": "hubbub-q-1", "seconds": 3.2}, "attempt 1, for 3.2s in hubbub-q-1"),
        ({"state": "in flight", "thread": "hubbub-q-1"}, "attempt 1, next in hubbub-q-1"),
        ({"state": "in flight"}, "attempt 1, next in a thread that is leaving"),
        ({"state": "retry", "due": 1012.0, "attempts": 1, "reason": "KeyError"}, "attempt 2 in 12s, KeyError"),
        (
            {"state": "dead letter", "buried_at": 0.0, "attempts": 3, "number": 0},
            f"not stored yet, buried {LONG_AGO} after 3 attempts",
        ),
    ],
)
def test_each_state_has_its_words(fate: dict[str, Any], text: str) -> None:
    assert detail({**FATE, **fate}, 1000.0) == text
