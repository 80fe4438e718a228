"""What the hub may rely on, whatever the backend."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

import pytest
from twisted.internet.defer import maybeDeferred

from hub.backends.memory import Memory
from hub.backends.stomp.client import StompClient
from hub.backends.stomp.server import StompServer
from hub.backends.stomp.settings import Config as ServerConfig
from hub.backends.zeromq import ZeroMQ
from hub.errors import CannotPublish, HubError, Unavailable
from hub.interfaces import Backend, Releasing
from hub.message import Message
from hub.settings import Settings
from hub.status.states import CONNECTED, BackendState
from tests.contracts.buses import BENCHES, Bench
from tests.unit.backends.stomp.clients import settings
from tests.unit.backends.support import (
    Recorder,
    configured,
    hub_context,
    stop,
    turn_for,
    turn_until,
)


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with ExitStack() as stack:
        bench: Bench = request.param(stack)
        stack.callback(stop, bench.backend)
        yield bench


def send(bench: Bench, count: int, start: int = 0) -> list[bytes]:
    bodies = [b'{"n":%d}' % number for number in range(start, start + count)]
    for body in bodies:
        bench.send("a.b", body)
    return bodies


def test_messages_come_whole_in_order_and_named(bench: Bench) -> None:
    bodies = send(bench, 300)
    bench.arrived(300)
    assert bench.intake.bodies == bodies
    for message in bench.intake.messages:
        assert (message.topic, message.backend, message.received_at) == ("a.b", "bus", 1000.0)
    assert len({message.id for message in bench.intake.messages}) == 300
    assert all(bench.intake.batches)


def test_tokens_are_given_exactly_where_the_sender_can_be_told(bench: Bench) -> None:
    send(bench, 3)
    bench.arrived(3)
    assert len(bench.intake.tokens) == (3 if bench.backend.confirms else 0)
    bench.backend.confirm(bench.intake.tokens)


def test_a_pause_holds_a_resume_delivers_and_both_may_be_said_twice(bench: Bench) -> None:
    for _ in range(2):
        bench.backend.pause()
    bodies = send(bench, 20)
    turn_for(0.2)
    assert bench.intake.messages == []
    assert bench.backend.status()["state"] == "paused"
    for _ in range(2):
        bench.backend.resume()
    bench.arrived(20)
    assert bench.intake.bodies == bodies
    assert bench.backend.status()["state"] in CONNECTED - {"paused"}


def test_the_status_is_json_and_its_counts_only_grow(bench: Bench) -> None:
    last: Any = {}
    for number in range(3):
        send(bench, 5)
        bench.arrived(5 * (number + 1))
        status = json.loads(json.dumps(bench.backend.status()))
        assert {"state", "received", "bytes", "malformed", "published"} <= set(status)
        assert status["state"] in get_args(BackendState)
        assert status["received"] == 5 * (number + 1)
        assert status["bytes"] > last.get("bytes", 0)
        last = status
    stop(bench.backend)
    status = bench.backend.status()
    assert status["state"] == "stopped"
    assert (status["received"], status["bytes"]) == (last["received"], last["bytes"])


def test_a_change_of_the_subscription_loses_nothing_that_both_want(bench: Bench) -> None:
    for number in range(30):
        send(bench, 1, number)
        bench.backend.subscribe(["a.#", "#"])
        bench.backend.unsubscribe(["a.#"] if number % 2 else ["#"])
    bench.arrived(30)


def test_no_patterns_is_a_subscription_too(bench: Bench) -> None:
    bench.backend.unsubscribe(["#", "never.subscribed"])
    bench.backend.subscribe([])
    bench.backend.subscribe(["a.*"])
    bench.backend.subscribe(["a.*"])
    assert bench.backend.status()["state"] in CONNECTED - {"paused"}


def test_what_it_publishes_arrives_whole_and_in_order_and_is_counted(bench: Bench) -> None:
    before = bench.backend.status()["published"]
    sent = [("a.b", b'{"n":%d}' % number) for number in range(50)]
    confirmed: list[object] = []
    for topic, body in sent:
        maybeDeferred(bench.backend.publish, Message(body.decode(), topic, body)).addBoth(confirmed.append)
    turn_until(lambda: len(bench.heard()) >= len(sent) and len(confirmed) == len(sent), "what was published")
    assert set(confirmed) == {None}
    assert bench.heard() == sent
    assert bench.backend.status()["published"] == before + len(sent)


def test_malformed_input_is_counted_by_cause_and_stops_nothing(bench: Bench) -> None:
    def malformed() -> Any:
        return bench.backend.status()["malformed"]

    assert malformed() == {}
    if bench.spoil is None:
        return
    for _ in range(3):
        bench.spoil()
    turn_until(lambda: sum(malformed().values()) >= 3, "the count")
    bodies = send(bench, 3)
    bench.arrived(3)
    assert bench.intake.bodies == bodies
    (cause,) = malformed().items()
    assert cause[1] == 3
    assert cause[0].isidentifier()


def test_a_message_that_is_published_is_confirmed(bench: Bench) -> None:
    confirmed: list[object] = []
    maybeDeferred(bench.backend.publish, Message("x", "a.b", b'{"n":1}')).addBoth(confirmed.append)
    turn_until(lambda: bool(confirmed), "the confirmation")
    assert confirmed == [None]


def test_one_that_does_not_run_says_not_now(bench: Bench) -> None:
    """And not never: the hub tries again with the backend that comes."""
    stop(bench.backend)
    failures: list[Any] = []
    maybeDeferred(bench.backend.publish, Message("x", "a.b", b'{"n":1}')).addErrback(failures.append)
    turn_until(lambda: bool(failures), "the failure")
    assert failures[0].type is Unavailable


def test_what_it_can_never_send_is_told_as_that(bench: Bench) -> None:
    before = bench.backend.status()["published"]
    failures: list[Any] = []
    maybeDeferred(bench.backend.publish, bench.unsendable).addErrback(failures.append)
    turn_until(lambda: bool(failures), "the failure")
    assert failures[0].type is CannotPublish
    assert bench.backend.status()["published"] == before


def test_a_stop_passes_on_what_it_has_counted(bench: Bench) -> None:
    send(bench, 50)
    turn_until(lambda: bench.backend.status()["received"], "the first ones")
    stop(bench.backend)
    assert bench.backend.status()["received"] == len(bench.intake.messages)


def test_one_that_lets_a_child_go_names_open_sockets_and_goes_on(bench: Bench) -> None:
    assert isinstance(bench.backend, Releasing) is bench.has_sockets
    if not isinstance(bench.backend, Releasing):
        return
    named: list[int] = []
    bench.backend.release(named.append)
    assert named
    assert all(stat.S_ISSOCK(os.fstat(descriptor).st_mode) for descriptor in named)
    bodies = send(bench, 3)
    bench.arrived(3)
    assert bench.intake.bodies == bodies


def test_one_that_can_not_start_says_why_and_stops(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        backends: list[Backend] = [
            ZeroMQ(hub_context(configured(bind=[f"tcp://127.0.0.1:{port}"]))),
            StompClient(hub_context(settings(61613, login="me", passcode=f"file:{tmp_path / 'gone'}"))),
            StompServer(hub_context(ServerConfig(listen=[f"127.0.0.1:{port}"]))),
        ]
        for backend in backends:
            backend.subscribe(["#"])
            with pytest.raises(HubError, match=r"\w+ .*\w+"):
                backend.start(Recorder())
            assert backend.status()["received"] == 0
            stop(backend)
            assert backend.status()["state"] == "stopped"


def test_a_stop_may_be_said_twice_and_nothing_comes_after_it(bench: Bench) -> None:
    send(bench, 5)
    bench.arrived(5)
    stop(bench.backend)
    stop(bench.backend)
    count = len(bench.intake.messages)
    send(bench, 5, 5)
    turn_for(0.1)
    assert len(bench.intake.messages) == count


def test_one_that_was_never_started_stops() -> None:
    backends: list[Backend] = [
        Memory(hub_context(Settings())),
        ZeroMQ(hub_context(configured(bind=["tcp://127.0.0.1:*"]))),
        StompClient(hub_context(settings(61613))),
        StompServer(hub_context(ServerConfig())),
    ]
    for backend in backends:
        backend.subscribe(["#"])
        assert backend.status()["state"] == "stopped"
        stop(backend)
