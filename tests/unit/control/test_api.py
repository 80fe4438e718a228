"""The verbs, each on a real socket: what it does, who may, and what is written down of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from twisted.web.server import Site

from hub.control.api import VERBS, Api
from hub.control.client import Refused
from hub.errors import ConfigError, Forbidden
from hub.interfaces import Access
from hub.message import Message
from tests.conftest import ReactorThread
from tests.unit.control_hub import ControlledHub
from tests.unit.requests import ask


@pytest.fixture
def hub(reactor_thread: ReactorThread, tmp_path: Path) -> Iterator[ControlledHub]:
    made = ControlledHub(reactor_thread, tmp_path / "run" / "hub.sock")
    made.listen()
    yield made
    made.close()


class Choosy:
    """Lets everybody see the numbers, and nobody do anything."""

    def who(self, request: Any) -> str:
        return "anybody"

    def admit(self, request: Any, access: Access) -> str:
        if access == "numbers":
            return self.who(request)
        raise Forbidden("not without a token", 401 if access == "contents" else 403)


@pytest.fixture
def guarded(hub: ControlledHub, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "guarded.sock"
    site = Site(Api(hub, Choosy()))
    port = hub.thread.call(hub.reactor.listenUNIX, str(path), site)
    yield path
    hub.thread.call(port.stopListening)


def audited(hub: ControlledHub) -> list[dict[str, Any]]:
    path = hub.path.parent / "audit.log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def queue(hub: ControlledHub, name: str = "c") -> Any:
    return hub.roster.members[name].queue


# -- consumers


def test_a_consumer_is_paused_and_resumed(hub: ControlledHub) -> None:
    assert hub.client().post("/pause", {"consumer": "c"}) == {"state": "paused"}
    assert queue(hub).paused
    assert hub.client().post("/resume", {"consumer": "c"}) == {"state": "running"}
    assert not queue(hub).paused


def test_a_pause_that_no_calendar_has_an_end_for_is_refused(hub: ControlledHub) -> None:
    with pytest.raises(Refused, match="until"):
        hub.client().post("/pause", {"consumer": "c", "until": 1e12})
    assert not queue(hub).paused


def test_a_pause_that_ends_in_the_past_is_refused(hub: ControlledHub) -> None:
    with pytest.raises(Refused, match="that time is over"):
        hub.client().post("/pause", {"consumer": "c", "until": 0.0})
    assert not queue(hub).paused


def test_a_consumer_is_drained(hub: ControlledHub) -> None:
    assert hub.client().post("/drain", {"consumer": "c"}) == {"state": "draining"}
    assert queue(hub).draining


def test_none_is_paused_and_drained_both(hub: ControlledHub) -> None:
    hub.client().post("/pause", {"consumer": "c"})
    with pytest.raises(Refused, match="c is paused, so it would not work off what waits: resume it first"):
        hub.client().post("/drain", {"consumer": "c"})
    assert (queue(hub).paused, queue(hub).draining) == (True, False)
    hub.client().post("/resume", {"consumer": "c"})
    hub.client().post("/drain", {"consumer": "c"})
    with pytest.raises(Refused, match="c is drained, so what comes for it is dropped and would not wait: resume it"):
        hub.client().post("/pause", {"consumer": "c"})
    assert ask(hub.path, "POST", "/pause", b'{"consumer": "c"}').status == 409
    assert (queue(hub).paused, queue(hub).draining) == (False, True)
    assert not hub.steering.standing.paused("c")


@pytest.mark.parametrize("verb", ["pause", "resume", "drain", "threads"])
def test_a_consumer_that_there_is_not_is_refused(hub: ControlledHub, verb: str) -> None:
    order = {"consumer": "nobody", **({"count": 1} if verb == "threads" else {})}
    with pytest.raises(Refused, match="no consumer is called 'nobody': there are c, a/é"):
        hub.client().post(f"/{verb}", order)


def test_the_threads_of_a_consumer_that_has_not_started_can_not_be_changed(hub: ControlledHub) -> None:
    assert hub.client().get("/threads/c") == {"threads": []}
    with pytest.raises(Refused, match="does not run"):
        hub.client().post("/threads", {"consumer": "c", "count": 2})


@pytest.mark.parametrize("count", [0, -1, 257, 1.5, "two"])
def test_no_number_of_threads_that_can_not_be(hub: ControlledHub, count: object) -> None:
    with pytest.raises(Refused, match="count"):
        hub.client().post("/threads", {"consumer": "c", "count": count})


def test_the_whole_hub_is_drained(hub: ControlledHub) -> None:
    assert hub.client().post("/drain-hub") == {"draining": True}
    assert hub.fleet.draining
    assert hub.client().post("/resume-hub") == {"draining": False}
    assert not hub.fleet.draining


# -- queues


def test_what_waits_is_shown(hub: ControlledHub) -> None:
    one = Message("7", "a.b", b"\xff{", {"h": "v"}, 1.5)
    start, kept, size = queue(hub).admit([one], 2)
    queue(hub).offer(start, kept, size)
    assert hub.client().get("/peek/c?count=5") == {
        "messages": [
            {
                "position": 0,
                "state": "waiting",
                "id": "7",
                "topic": "a.b",
                "headers": {"h": "v"},
                "body": "\ufffd{",
                "received_at": 1.5,
                "attempts": 0,
            }
        ]
    }


@pytest.mark.parametrize("count", ["0", "1001", "many", ""])
def test_a_count_that_can_not_be_is_refused(hub: ControlledHub, count: str) -> None:
    with pytest.raises(Refused, match="count"):
        hub.client().get(f"/peek/c?count={count}")


# -- who may, and what is written down


def test_every_action_is_written_down_with_who_did_it(hub: ControlledHub) -> None:
    hub.client().post("/pause", {"consumer": "c"})
    with pytest.raises(Refused):
        hub.client().post("/pause", {"consumer": "nobody"})
    hub.client().get("/status")
    first, second = audited(hub)
    assert (first["action"], first["order"], first["outcome"]) == ("pause", {"consumer": "c"}, "done")
    assert "pid" in first["who"]
    assert second["outcome"].startswith("refused: no consumer is called 'nobody'")


def test_an_order_that_makes_no_sense_is_written_down_as_refused(hub: ControlledHub) -> None:
    with pytest.raises(Refused):
        hub.client().post("/pause", {"consumer": 3})
    (entry,) = audited(hub)
    assert (entry["action"], entry["order"]) == ("pause", {})
    assert entry["outcome"].startswith("refused: Expected `str`")


def test_a_reload_that_is_refused_is_written_down(hub: ControlledHub) -> None:
    hub.reload_answer = ConfigError(["hub.log_level: no"])
    with pytest.raises(Refused):
        hub.client().post("/reload")
    assert [(entry["action"], entry["outcome"]) for entry in audited(hub)] == [("reload", "refused: hub.log_level: no")]


def test_what_the_guard_forbids_is_not_done(hub: ControlledHub, guarded: Path) -> None:
    def code(method: str, path: str, body: bytes = b"") -> int:
        answer: HTTPResponse = ask(guarded, method, path, body)
        return answer.status

    assert code("GET", "/status") == 200
    assert code("GET", "/openapi.json") == 200
    for verb in VERBS:
        if verb.access != "numbers":
            place = f"/{verb.path}/c" if verb.about else f"/{verb.path}"
            assert code(verb.method, place, b"{}") == (401 if verb.access == "contents" else 403)
    told = [(entry["who"], entry["action"], entry["outcome"]) for entry in audited(hub)]
    actions = [verb.path for verb in VERBS if verb.access == "actions"]
    assert told == [("anybody", path, "refused: not without a token") for path in actions]


def test_every_path_answers_in_json_whatever_is_wrong(guarded: Path) -> None:
    for method, path, code in (
        ("GET", "/", 404),
        ("GET", "/nonsense", 404),
        ("GET", "/status%00", 404),
        ("POST", "/status", 405),
        ("PUT", "/pause", 405),
        ("DELETE", "/dead/c", 405),
        ("GET", "/pause", 405),
        ("GET", "/status/c", 404),
        ("GET", "/openapi.json/c", 404),
        ("POST", "/threads/c", 404),
    ):
        answer = ask(guarded, method, path)
        assert answer.status == code, path
        assert list(json.loads(answer.read())) == ["problems"]


@pytest.mark.parametrize("path", ["/status", "/openapi.json"])
def test_a_head_is_a_get_without_a_body(guarded: Path, path: str) -> None:
    answer = ask(guarded, "HEAD", path)
    assert (answer.status, answer.read()) == (200, b"")


def test_a_head_of_what_does_not_end_ends(hub: ControlledHub) -> None:
    answer = ask(hub.path, "HEAD", "/tail")
    assert (answer.status, answer.read()) == (200, b"")
    assert hub.enqueuer.taps == []


def test_what_json_does_not_have_is_said_and_not_waited_for(hub: ControlledHub) -> None:
    hub.snapshot = lambda: {"hub": {"error": "\ud800"}}  # type: ignore[method-assign]
    answer = ask(hub.path, "GET", "/status")
    assert answer.status == 500
    assert json.loads(answer.read()) == {"problems": ["the hub itself failed; its log says why"]}
