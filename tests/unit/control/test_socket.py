"""The control socket: a real Unix socket, a real reactor, the real client."""

from __future__ import annotations

import socket
import stat
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from hub.backends.zeromq import ZeroMQ
from hub.deadletter import DeadLetter
from hub.errors import ConfigError, OrderRefused, Unavailable
from hub.message import Message
from hub.parts.changes import Outcome
from tests.conftest import ReactorThread
from tests.unit.backends.support import configured
from tests.unit.control_hub import ControlledHub


def test_the_status_is_the_snapshot(hub: ControlledHub) -> None:
    assert hub.client().get("/status") == hub.snapshot()


def test_the_sockets_file_has_the_permissions_that_were_asked_for(hub: ControlledHub) -> None:
    status = hub.path.stat()
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o660


def test_the_file_goes_when_the_socket_is_closed(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    hub = ControlledHub(reactor_thread, tmp_path / "hub.sock")
    hub.close()
    hub.listen()
    hub.close()
    assert not hub.path.exists()


def test_another_hub_that_answers_there_is_an_error_of_configuration(hub: ControlledHub) -> None:
    second = ControlledHub(hub.thread, hub.path)
    with pytest.raises(ConfigError, match="another hub is running"):
        second.listen()
    assert hub.client().get("/status") == hub.snapshot()


def test_another_hub_that_hangs_is_noticed_at_once(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    """Its backlog of connections is full, so a connection would wait for it."""
    path = tmp_path / "hub.sock"
    with socket.socket(socket.AF_UNIX) as hanging, socket.socket(socket.AF_UNIX) as first:
        hanging.bind(str(path))
        hanging.listen(0)
        first.connect(str(path))
        with pytest.raises(ConfigError, match="another hub is running"):
            ControlledHub(reactor_thread, path).listen()


def test_a_stale_socket_file_is_replaced(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    path = tmp_path / "hub.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    hub = ControlledHub(reactor_thread, path)
    hub.listen()
    assert hub.client().get("/status") == hub.snapshot()
    hub.close()


def test_a_file_that_is_no_socket_is_left_alone(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("do not delete")
    with pytest.raises(ConfigError, match="can't be made"):
        ControlledHub(reactor_thread, path).listen()
    assert path.read_text() == "do not delete"


def test_a_place_that_can_not_be_is_an_error_of_configuration(reactor_thread: ReactorThread) -> None:
    with pytest.raises(ConfigError, match="can't be made"):
        ControlledHub(reactor_thread, Path("/proc/nowhere/hub.sock")).listen()


# -- dead letters


def test_dead_letters_are_shown_with_all_that_is_known(hub: ControlledHub) -> None:
    letter = DeadLetter(Message("7", "a.b", b"\xff{", {"h": "v"}, 1.5), "no such user", 3, 99.5, "KeyError", "Trace")
    hub.bury("c", letter)
    assert hub.client().get("/dead/c") == {
        "dead_letters": [
            {
                "number": 1,
                "id": "7",
                "topic": "a.b",
                "headers": {"h": "v"},
                "body": "\ufffd{",
                "received_at": 1.5,
                "buried_at": 99.5,
                "attempts": 3,
                "reason": "no such user",
                "error": "KeyError",
                "traceback": "Trace",
                "backend": "",
            }
        ]
    }


def test_a_consumers_name_may_be_anything(hub: ControlledHub) -> None:
    assert hub.client().get("/dead/" + quote("a/é")) == {"dead_letters": []}


@pytest.mark.parametrize("name", ["nobody", "", "c/", "%ff"])
def test_the_dead_letters_of_nobody_are_refused(hub: ControlledHub, name: str) -> None:
    with pytest.raises(OrderRefused, match="no consumer is called"):
        hub.client().get(f"/dead/{name}")


def test_an_unknown_verb_is_refused(hub: ControlledHub) -> None:
    with pytest.raises((OrderRefused, Unavailable), match="there is nothing at"):
        hub.client().get("/nonsense")


# -- publish


def test_what_is_published_goes_to_the_backend(hub: ControlledHub) -> None:
    answer = hub.client().post("/publish", {"topic": "a.b", "body": {"n": 1}, "headers": {"h": "v"}})
    (sent,) = hub.backend.published
    assert (sent.id, sent.topic, sent.body, sent.headers) == (answer["id"], "a.b", b'{"n":1}', {"h": "v"})


def test_headers_that_the_bus_has_no_place_for_are_not_left_out_in_silence(
    hub: ControlledHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = configured(publish_bind=["tcp://127.0.0.1:1"], format="raw")
    part = SimpleNamespace(plugin=SimpleNamespace(cls=ZeroMQ), config=raw)
    monkeypatch.setattr(hub, "configuration", SimpleNamespace(of=lambda section: {"bus": part}))
    with pytest.raises(OrderRefused, match="backend bus: format = 'raw' has no place for headers: h, i would be lost"):
        hub.client().post("/publish", {"topic": "a.b", "body": 1, "headers": {"h": "v", "i": 1}})
    assert hub.backend.published == []
    hub.client().post("/publish", {"topic": "a.b", "body": 1})
    assert len(hub.backend.published) == 1


def test_headers_of_what_is_published_keep_their_types(hub: ControlledHub) -> None:
    headers = {"severity": 20, "share": 20.0, "flag": True, "text": "20"}
    hub.client().post("/publish", {"topic": "a.b", "body": 1, "headers": headers})
    assert [repr(value) for value in hub.backend.published[0].headers.values()] == ["20", "20.0", "True", "'20'"]


@pytest.mark.parametrize(
    ("order", "why"),
    [
        ({"body": 1}, "topic"),
        ({"topic": "a"}, "body"),
        ({"topic": "", "body": 1}, "topic"),
        ({"topic": "a", "body": 1, "bakend": "x"}, "bakend"),
        ({"topic": "a", "body": 1, "backend": "nope"}, "no backend is called 'nope'"),
        ({"topic": "a", "body": 1, "headers": {"h": [3]}}, "headers"),
        ({"topic": "a", "body": 1, "headers": {"h": None}}, "headers"),
        ({"topic": "a", "body": 1, "headers": {"h": 1 << 63}}, "whole numbers of 64 bits"),
        ({"topic": "a", "body": 1, "headers": {"h": "x" * 70_000}}, "the headers take 70001 bytes"),
        ({"topic": "a", "body": 1, "headers": {"": "x"}}, "names of headers"),
        (None, "object"),
        ([], "object"),
    ],
)
def test_an_order_that_can_not_be_is_refused_with_the_reason(hub: ControlledHub, order: object, why: str) -> None:
    with pytest.raises(OrderRefused, match=why):
        hub.client().post("/publish", order)
    assert hub.backend.published == []


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff", b'{"topic":"a","body":' + b"[" * 100_000, b'{"topic":"a","body":"\xff"}']
)
def test_an_order_that_is_not_json_is_refused(hub: ControlledHub, raw: bytes) -> None:
    connection = HTTPConnection("localhost", timeout=10)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(hub.path))
    connection.request("POST", "/publish", raw)
    assert connection.getresponse().status == 400
    connection.close()
    assert hub.backend.published == []


# -- reload


def test_a_reload_answers_with_what_changed(hub: ControlledHub) -> None:
    hub.reload_answer = Outcome(["consumer c: added"], ["backends.bus: no"])
    assert hub.client().post("/reload") == {"changes": ["consumer c: added"], "problems": ["backends.bus: no"]}


def test_a_reload_that_is_refused_answers_with_all_that_is_wrong(hub: ControlledHub) -> None:
    hub.reload_answer = ConfigError(["hub.conf: one", "hub.conf: two"])
    with pytest.raises(OrderRefused, match=r"hub\.conf: one\nhub\.conf: two"):
        hub.client().post("/reload")


def test_a_reload_that_fails_answers_too(hub: ControlledHub) -> None:
    hub.reload_answer = RuntimeError("a bug")
    with pytest.raises(OrderRefused, match="a bug"):
        hub.client().post("/reload")


def test_a_verb_by_the_wrong_method_is_no_answer(hub: ControlledHub) -> None:
    with pytest.raises((OrderRefused, Unavailable), match="takes POST"):
        hub.client().get("/publish")
    assert hub.client().get("/status")["hub"]["state"] == "running"


def test_one_dead_letter_is_read_without_the_others(hub: ControlledHub, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        hub.bury("c", DeadLetter(Message(str(number), "a.b", b"{}"), "no", 1, 0.0))
    monkeypatch.setattr(hub.store, "dead_letters", lambda *_: pytest.fail("all were read"))
    (found,) = hub.client().get("/dead/c?number=2")["dead_letters"]
    assert found["id"] == "1"
    assert hub.client().get("/dead/c?number=99") == {"dead_letters": []}


def test_what_was_refused_is_shown_for_one_backend_and_for_all(hub: ControlledHub) -> None:
    for number, backend in enumerate(("bus", "bus", "old")):
        message = Message(str(number), "a.b", b"{", {}, 1.5, backend)
        hub.thread.call(hub.enqueuer.refuse, message, "no JSON")
    client = hub.client()
    assert [(one["id"], one["backend"]) for one in client.get("/refused")["refused"]] == [
        ("0", "bus"),
        ("1", "bus"),
        ("2", "old"),
    ]
    assert [one["id"] for one in client.get("/refused/bus")["refused"]] == ["0", "1"]
    (found,) = client.get("/refused/bus?number=2")["refused"]
    assert (found["body"], found["reason"]) == ("{", "no JSON")
    assert client.get("/refused/bus?number=9") == {"refused": []}
    with pytest.raises(OrderRefused, match="no backend is called 'nobody': there are bus, old"):
        client.get("/refused/nobody")
