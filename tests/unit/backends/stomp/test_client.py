"""The STOMP client as a whole: start, status, and what a forked child must let go."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from hub.backends.stomp.client import StompClient
from hub.errors import CannotPublish, ConfigError, Unavailable
from hub.interfaces import Backend, BusTools, Checking, Releasing
from hub.message import Message
from tests.unit.backends.stomp.broker import Broker
from tests.unit.backends.stomp.clients import make, running
from tests.unit.backends.support import Lines, Recorder, stop


def test_it_has_the_protocols_that_it_offers() -> None:
    client: Backend = make(1)
    assert isinstance(client, Checking)
    assert isinstance(client, Releasing)
    tools: type[BusTools] = StompClient
    assert issubclass(tools, BusTools)


def test_a_passcode_that_can_not_be_read_is_told_at_the_start() -> None:
    client = make(1, login="hub", passcode="file:/no/such")
    with pytest.raises(ConfigError, match="/no/such: the secret can't be read"):
        client.start(Recorder())
    assert client.status()["state"] == "stopped"
    stop(client)


def test_the_status_tells_both_connections_and_no_secret(tmp_path: Path) -> None:
    secret = tmp_path / "passcode"
    secret.write_text("hunter2")
    with (
        Broker() as broker,
        running(broker.port, publish="/topic/{topic}", login="hub", passcode=f"file:{secret}") as (client, _),
    ):
        status = client.status()
        assert [(row["role"], row["state"]) for row in status["endpoints"]] == [
            ("subscribe", "connected"),
            ("publish", "connected"),
        ]
        assert (status["peers"], status["not_ready"]) == (2, None)
        assert "hunter2" not in json.dumps(status)
        assert [frame.headers["passcode"] for frame in broker.of("CONNECT")] == ["hunter2"] * 2


def test_one_that_only_publishes_is_not_ready_without_its_connection() -> None:
    with Broker() as broker:
        broker.answers["CONNECT"] = lambda client, frame: None
        with running(broker.port, wait=False, destinations=[], publish="/topic/{topic}") as (client, _):
            assert client.status()["not_ready"] == f"stomp://127.0.0.1:{broker.port}: not connected yet"
            assert client.status()["state"] == "connecting"


def test_one_without_publish_has_one_connection_and_takes_no_message() -> None:
    with Broker() as broker, running(broker.port) as (client, _):
        assert len(client.status()["endpoints"]) == 1
        for attempt in (client.publish, client.check):
            with pytest.raises(CannotPublish, match="has no 'publish'"):
                attempt(Message("x", "a", b""))


def test_before_the_start_and_after_the_stop_nothing_is_sent() -> None:
    client = make(1, publish="/topic/{topic}")
    with pytest.raises(Unavailable, match="does not run"):
        client.publish(Message("x", "a", b""))
    client.resume()
    client.confirm([])
    stop(client)


def test_a_passcode_that_others_can_read_on_its_way_is_warned_of(tmp_path: Path) -> None:
    secret = tmp_path / "passcode"
    secret.write_text("x")
    lines = Lines()
    connect = ["stomp://127.0.0.1:1", "stomp://localhost:1", "stomp+ssl://192.0.2.1:1", "stomp://192.0.2.1:1"]
    client = make(lines=lines, connect=connect, login="hub", passcode=f"file:{secret}")
    client.start(Recorder())
    stop(client)
    assert [text for text in lines.texts if "unencrypted" in text] == [
        "stomp://192.0.2.1:1: passcode and messages are sent unencrypted: use 'stomp+ssl:' beyond this machine"
    ]


def test_a_forked_child_lets_go_of_both_connections() -> None:
    with Broker() as broker, running(broker.port, publish="/topic/{topic}") as (client, _):
        found: list[int] = []
        client.release(found.append)
        assert len(set(found)) == 2
        assert all(os.readlink(f"/proc/self/fd/{number}").startswith("socket:") for number in found)
    found.clear()
    client.release(found.append)
    assert found == []
