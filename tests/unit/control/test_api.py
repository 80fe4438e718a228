"""The verbs, each on a real socket: what it does, who may, and what is written down of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from twisted.web.server import Site

from hub.control.verbs import VERBS, verbs_of
from hub.errors import ConfigError, Forbidden, OrderRefused
from hub.http.access import Access, Caller
from hub.http.api import BUG, Api
from hub.message import Message
from tests.unit.control_hub import ControlledHub
from tests.unit.doubles import RecordingLog, messages, offer
from tests.unit.requests import ask


class Choosy:
    """Lets everybody see the numbers, and nobody do anything."""

    def who(self, request: Any) -> str:
        return "anybody"

    def admit(self, request: Any, access: Access, any_host: bool = False, any_origin: bool = False) -> Caller:
        if access in ("numbers", "status"):
            return Caller(self.who(request))
        raise Forbidden("not without a token", 401 if access == "contents" else 403)


@pytest.fixture
def guarded(hub: ControlledHub, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "guarded.sock"
    site = Site(Api(Choosy(), hub.audit, RecordingLog(), {"": verbs_of(hub)}))
    port = hub.thread.call(hub.reactor.listenUNIX, str(path), site)
    yield path
    hub.thread.call(port.stopListening)


def audited(hub: ControlledHub) -> list[dict[str, Any]]:
    path = hub.path.parent / "audit.log"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def queue(hub: ControlledHub, name: str = "c") -> Any:
    return hub.consumers.members[name].queue


# -- consumers


def test_a_consumer_is_paused_and_resumed(hub: ControlledHub) -> None:
    assert hub.client().post("/pause", {"consumer": "c"})["paused"]
    assert queue(hub).paused
    assert not hub.client().post("/resume", {"consumer": "c"})["paused"]
    assert not queue(hub).paused


def test_a_pause_that_no_calendar_has_an_end_for_is_refused(hub: ControlledHub) -> None:
    with pytest.raises(OrderRefused, match="until"):
        hub.client().post("/pause", {"consumer": "c", "until": 1e12})
    assert not queue(hub).paused


def test_a_pause_that_ends_in_the_past_is_refused(hub: ControlledHub) -> None:
    with pytest.raises(OrderRefused, match="the end of a pause must be in the future"):
        hub.client().post("/pause", {"consumer": "c", "until": 0.0})
    assert not queue(hub).paused


def test_a_consumer_is_drained(hub: ControlledHub) -> None:
    assert hub.client().post("/drain", {"consumer": "c"})["draining"]
    assert queue(hub).draining
    assert hub.holds.draining("c")


def test_none_is_paused_and_drained_both(hub: ControlledHub) -> None:
    hub.client().post("/pause", {"consumer": "c"})
    with pytest.raises(OrderRefused, match="c is paused, so it would not work off its backlog: resume it first"):
        hub.client().post("/drain", {"consumer": "c"})
    assert (queue(hub).paused, queue(hub).draining) == (True, False)
    hub.client().post("/resume", {"consumer": "c"})
    hub.client().post("/drain", {"consumer": "c"})
    with pytest.raises(
        OrderRefused, match="c is drained, so its new messages are dropped and would not wait: resume it"
    ):
        hub.client().post("/pause", {"consumer": "c"})
    assert ask(hub.path, "POST", "/pause", b'{"consumer": "c"}').status == 409
    assert (queue(hub).paused, queue(hub).draining) == (False, True)
    assert not hub.holds.paused("c")


@pytest.mark.parametrize("verb", ["pause", "resume", "drain", "threads"])
def test_a_consumer_that_there_is_not_is_refused(hub: ControlledHub, verb: str) -> None:
    order = {"consumer": "nobody", **({"count": 1} if verb == "threads" else {})}
    with pytest.raises(OrderRefused, match="no consumer is called 'nobody': there are c, a/é"):
        hub.client().post(f"/{verb}", order)


def test_the_threads_of_a_consumer_that_has_not_started_can_not_be_changed(hub: ControlledHub) -> None:
    assert hub.client().get("/threads/c") == {"threads": []}
    with pytest.raises(OrderRefused, match="is not running"):
        hub.client().post("/threads", {"consumer": "c", "count": 2})


def test_a_consumer_that_keeps_strict_order_has_one_thread(hub: ControlledHub) -> None:
    member = hub.consumers.members["c"]
    strict = member.part.settings.model_copy(update={"ordering": "strict"})
    member.part = replace(member.part, settings=strict)
    with pytest.raises(OrderRefused, match="c keeps strict order: it takes one message at a time"):
        hub.client().post("/threads", {"consumer": "c", "count": 2})
    with pytest.raises(OrderRefused, match="is not running"):  # one is not refused for its order
        hub.client().post("/threads", {"consumer": "c", "count": 1})


def test_an_order_answers_with_the_new_state_of_its_queue(hub: ControlledHub) -> None:
    offer(queue(hub), messages(3))
    paused = hub.client().post("/pause", {"consumer": "c", "until": 9.5})
    assert (paused["queue"], paused["paused"], paused["paused_until"], paused["backlog"]) == ("c", True, 9.5, 3)
    assert {"paused"} <= {one["word"] for one in paused["conditions"]}
    purged = hub.client().post("/purge-queue", {"queue": "c"})
    assert (purged["purged"], purged["queue"]["backlog"], purged["queue"]["paused"]) == (3, 0, True)


@pytest.mark.parametrize("count", [0, -1, 257, 1.5, "two"])
def test_no_number_of_threads_that_can_not_be(hub: ControlledHub, count: object) -> None:
    with pytest.raises(OrderRefused, match="count"):
        hub.client().post("/threads", {"consumer": "c", "count": count})


def test_the_whole_hub_is_drained(hub: ControlledHub) -> None:
    offer(queue(hub), messages(3))
    assert hub.client().post("/drain-hub") == {"draining": True, "backlog": 3}
    assert (hub.flow.draining, hub.holds.hub_draining) == (True, True)
    assert hub.client().post("/resume-hub") == {"draining": False, "backlog": 3}
    assert (hub.flow.draining, hub.holds.hub_draining) == (False, False)


# -- queues


def test_what_waits_is_shown(hub: ControlledHub) -> None:
    one = Message("7", "a.b", b"\xff{", {"h": "v", "severity": 20, "share": 0.5, "flag": True}, 1.5)
    start, kept, size = queue(hub).admit([one], 2)
    queue(hub).offer(start, kept, size)
    assert hub.client().get("/peek/c?count=5") == {
        "messages": [
            {
                "position": 0,
                "state": "waiting",
                "id": "7",
                "topic": "a.b",
                "headers": {"h": "v", "severity": 20, "share": 0.5, "flag": True},
                "body": "\ufffd{",
                "received_at": 1.5,
                "attempts": 0,
            }
        ]
    }


@pytest.mark.parametrize("count", ["0", "1001", "many", ""])
def test_a_count_that_can_not_be_is_refused(hub: ControlledHub, count: str) -> None:
    with pytest.raises(OrderRefused, match="count"):
        hub.client().get(f"/peek/c?count={count}")


# -- who may, and what is written down


def test_every_action_is_written_down_with_who_did_it(hub: ControlledHub) -> None:
    hub.client().post("/pause", {"consumer": "c"})
    with pytest.raises(OrderRefused):
        hub.client().post("/pause", {"consumer": "nobody"})
    hub.client().get("/status")
    first, second = audited(hub)
    assert (first["action"], first["order"], first["outcome"]) == ("pause", {"consumer": "c"}, "done")
    assert "pid" in first["who"]
    assert second["outcome"].startswith("refused: no consumer is called 'nobody'")


def test_an_order_that_makes_no_sense_is_written_down_as_refused(hub: ControlledHub) -> None:
    with pytest.raises(OrderRefused):
        hub.client().post("/pause", {"consumer": 3})
    (entry,) = audited(hub)
    assert (entry["action"], entry["order"]) == ("pause", {})
    assert entry["outcome"].startswith("refused: Expected `str`")


def test_a_reload_that_is_refused_is_written_down(hub: ControlledHub) -> None:
    hub.reload_answer = ConfigError(["hub.log_level: no"])
    with pytest.raises(OrderRefused):
        hub.client().post("/reload")
    assert [(entry["action"], entry["outcome"]) for entry in audited(hub)] == [("reload", "refused: hub.log_level: no")]


def test_what_the_guard_forbids_is_not_done(hub: ControlledHub, guarded: Path) -> None:
    def code(method: str, path: str, body: bytes = b"") -> int:
        answer: HTTPResponse = ask(guarded, method, path, body)
        return answer.status

    assert code("GET", "/status") == 200
    assert code("GET", "/openapi.json") == 200
    for verb in VERBS:
        if verb.access in ("contents", "actions"):
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
    assert len(hub.enqueuer.subscriptions) == 0


def test_what_json_does_not_have_is_said_and_not_waited_for(hub: ControlledHub) -> None:
    hub.snapshot = lambda: {"hub": {"error": "\ud800"}}  # type: ignore[method-assign]
    answer = ask(hub.path, "GET", "/status")
    assert answer.status == 500
    assert json.loads(answer.read()) == {"problems": [BUG]}
