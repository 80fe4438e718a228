"""``hubbub outbox``."""

from __future__ import annotations

import json

import pytest

from tests.unit.cli.test_steering_cli import hub, run
from tests.unit.cli.top.hub_double import HubDouble
from tests.unit.command import Run

__all__ = ["hub", "run"]


@pytest.fixture(autouse=True)
def full(hub: HubDouble) -> None:
    """Messages wait for a bus that is away, and for a backend that was removed."""
    status = hub.answers["/status"]
    away = {"outbox_waiting": 3, "outbox_state": "retrying", "outbox_oldest_age": 61.0, "outbox_error": "no \x1broute"}
    status["backends"] |= {"wire": away, "idle": {"outbox_waiting": 0}}
    status["hub"]["outboxes_without_backend"] = {"former": 2}
    hub.answers["/drop-outbox"] = {"dropped": 2}


def test_what_waits_is_listed_by_backend(run: Run) -> None:
    code, out, _ = run("outbox", "list")
    assert code == 0
    assert [line.split(None, 1) for line in out.splitlines()] == [
        ["wire", "3 waiting, the oldest for 1m 1s, retrying: no \\x1broute"],
        ["former", "2 waiting, the backend is not configured any more"],
    ]
    _, out, _ = run("outbox", "list", "--json")
    assert [(row["backend"], row["waiting"], row["removed"]) for row in map(json.loads, out.splitlines())] == [
        ("wire", 3, False),
        ("former", 2, True),
    ]


def test_an_empty_one_is_said(run: Run, hub: HubDouble) -> None:
    hub.answers["/status"]["backends"].clear()
    hub.answers["/status"]["hub"]["outboxes_without_backend"] = {}
    assert run("outbox", "list") == (0, "", "no messages\n")


def test_a_drop_is_asked_for_and_told(run: Run, hub: HubDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("outbox", "drop", "former", "--yes") == (0, "2 dropped\n", "")
    assert hub.orders == [("/drop-outbox", {"backend": "former"})]
    asked: list[str] = []
    monkeypatch.setattr("click.confirm", lambda text, **options: asked.append(text))
    assert run("outbox", "drop", "former")[0] == 0
    assert asked == ["Drop all messages for former, 2 messages?"]


def test_a_drop_that_was_not_completed_is_a_failure(run: Run, hub: HubDouble) -> None:
    hub.answers["/drop-outbox"] = {"dropped": 1, "problem": "backend former is configured again: 1 message is left"}
    code, out, err = run("outbox", "drop", "former", "--yes")
    assert (code, out) == (69, "")
    assert "is configured again" in err
