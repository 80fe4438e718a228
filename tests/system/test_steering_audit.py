"""The audit log has all that was ordered of a real hub, whichever way it came, and what was refused."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import wait_until
from tests.system.web_client import WebClient, bearer
from tests.system.web_hub import WebHub

pytestmark = pytest.mark.system

NO_TOKEN = "refused: this needs the token: 'hubbub web' shows it"
WRONG = "refused: wrong token: 'hubbub web' shows the right one"
READ_ONLY = "refused: this server is read-only: read_only is set"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with WebHub(tmp_path / "hub", delay="0s") as running:
        yield running


def audited(hub: WebHub) -> list[dict[str, Any]]:
    path = hub.directory / "state" / "audit.log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def told(hub: WebHub) -> list[tuple[str, str]]:
    return [(entry["action"], entry["outcome"]) for entry in audited(hub)]


def page(url: str) -> WebClient:
    return WebClient(int(url.rstrip("/").rpartition(":")[2]))


def test_who_is_not_let_in_is_in_it_and_a_flood_of_them_is_a_line_and_a_number(hub: WebHub) -> None:
    open_, wall, order = page(hub.url), page(hub.read_only_url), {"consumer": "slow"}
    for _ in range(50):
        assert open_.ask("POST", "/api/pause", order).code == 401
    assert open_.ask("POST", "/api/drain", order, **bearer("wrong" * 10)).code == 401
    assert wall.ask("POST", "/api/pause", order).code == 403
    assert open_.ask("POST", "/api/pause", {}, **bearer(hub.token)).code == 400
    entries = audited(hub)
    assert [entry["who"] for entry in entries] == ["127.0.0.1"] * 3 + ["token from 127.0.0.1"]
    assert told(hub)[:3] == [("pause", NO_TOKEN), ("drain", WRONG), ("pause", READ_ONLY)]
    assert entries[3]["outcome"].startswith("refused: Object missing required field `consumer`")
    assert hub.stop() == 0
    assert told(hub)[4:] == [("pause", f"refused 49 times more: {NO_TOKEN.removeprefix('refused: ')}")]


def test_a_new_token_is_in_it(hub: WebHub) -> None:
    hub.command("web", "--new-token", "--server", "wall")
    (entry,) = audited(hub)
    assert (entry["action"], entry["order"], entry["outcome"]) == ("new-token", {"server": "wall"}, "done")
    assert ", pid " in entry["who"]


def test_reloads_are_in_it_by_whatever_way_and_those_that_were_refused(hub: WebHub) -> None:
    good = hub.file.read_text()
    hub.process.send_signal(signal.SIGHUP)
    wait_until(lambda: told(hub) == [("reload", "done")], 20, "the reload")
    hub.file.write_text(good + '[consumers.bad]\ntype = "nothing"\n')
    hub.process.send_signal(signal.SIGHUP)
    wait_until(lambda: len(audited(hub)) == 2, 20, "the refusal")
    assert page(hub.url).ask("POST", "/api/reload", {}, **bearer(token(hub))).code == 409
    assert [entry["who"] for entry in audited(hub)] == ["SIGHUP", "SIGHUP", "token from 127.0.0.1"]
    for action, outcome in told(hub)[1:]:
        assert action == "reload"
        assert outcome.startswith("refused: ")
        assert "consumers.bad.type" in outcome


def token(hub: WebHub) -> str:
    return (hub.directory / "state" / "web.token").read_text().strip()


def test_a_replay_is_in_it_with_its_end_and_a_dry_run_looks_otherwise(hub: WebHub) -> None:
    hub.command("queue", "pause", "slow")
    hub.feed(("org.example.slow.a", number) for number in range(5))
    hub.wait_for("slow", "received", 5)
    wait_until(lambda: hub.status()["hub"]["store"]["messages"] >= 5, 20, "messages on the disk")
    left_out = {"replayed": 0, "left_out": 5, "not_taken": 0, "dry_run": False}
    assert json.loads(hub.command("replay", "slow", "--since", "1h", "--json").stdout) == left_out
    hub.command("queue", "resume", "slow")
    hub.wait_for("slow", "finished", 5)
    said = hub.command("replay", "slow", "--since", "1h", "--dry-run").stdout
    assert said == "5 messages would be given to slow again\n"
    hub.command("replay", "slow", "--since", "1h")
    hub.wait_for("slow", "finished", 10)
    outcomes = [outcome for action, outcome in told(hub) if action == "replay"]
    assert outcomes == ["begun", "done: 0 messages", "counted 5 messages, gave none", "begun", "done: 5 messages"]


@pytest.mark.parametrize(
    ("times", "why"),
    [
        (("--since", "2999-01-01"), "'since' is in the future: nothing was received then"),
        (("--since", "1h", "--until", "2h"), "'until' is before 'since': nothing was received then"),
    ],
)
def test_times_at_which_nothing_can_have_come_are_refused(hub: WebHub, times: tuple[str, ...], why: str) -> None:
    done = hub.command("replay", "slow", *times, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (69, "", f"hubbub: {why}\n")
    assert told(hub) == [("replay", f"refused: {why}")]
