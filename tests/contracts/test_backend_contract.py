"""What the hub may rely on, whatever the backend."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from hub.backends.memory import Memory
from hub.backends.zeromq import ZeroMQ
from hub.interfaces import Backend
from hub.message import Message
from hub.settings import Settings
from tests.unit.backends.support import (
    Recorder,
    configured,
    hub_context,
    publisher,
    real_endpoint,
    stop,
    subscribed,
    turn_for,
    turn_until,
)


@dataclass
class Bench:
    """A backend, its intake, and the bus's other end."""

    backend: Backend
    intake: Recorder
    send: Callable[[str, bytes], object]

    def arrived(self, count: int) -> None:
        turn_until(lambda: len(self.intake.messages) >= count, f"{count} messages")


def memory(stack: ExitStack) -> Bench:
    backend, intake = Memory(hub_context(Settings())), Recorder()
    backend.subscribe(["#"])
    backend.start(intake)
    return Bench(backend, intake, backend.deliver)


def zeromq(stack: ExitStack) -> Bench:
    backend, intake = (
        ZeroMQ(hub_context(configured(bind=["tcp://127.0.0.1:*"], publish_bind=["tcp://127.0.0.1:*"]))),
        Recorder(),
    )
    backend.subscribe(["#"])
    backend.start(intake)
    bus = stack.enter_context(publisher(real_endpoint(backend.status())))
    subscribed(bus)
    return Bench(backend, intake, lambda topic, body: bus.send_multipart([topic.encode(), body]))


@pytest.fixture(params=[memory, zeromq])
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
    assert bench.backend.status()["state"] in ("connected", "listening")


def test_the_status_is_json_and_its_counts_only_grow(bench: Bench) -> None:
    last: Any = {}
    for number in range(3):
        send(bench, 5)
        bench.arrived(5 * (number + 1))
        status = json.loads(json.dumps(bench.backend.status()))
        assert {"state", "received", "bytes", "malformed"} <= set(status)
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
        bench.backend.subscribe(["#"] if number % 2 else ["#", "a.#"])
    bench.arrived(30)


def test_no_patterns_is_a_subscription_too(bench: Bench) -> None:
    bench.backend.subscribe([])
    bench.backend.subscribe(["a.*"])
    assert bench.backend.status()["state"] in ("connected", "listening")


def test_it_publishes(bench: Bench) -> None:
    bench.backend.publish(Message("x", "a.b", b'{"n":1}'))
    assert bench.backend.status()["published"] == 1


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
    for backend in (Memory(hub_context(Settings())), ZeroMQ(hub_context(configured(bind=["tcp://127.0.0.1:*"])))):
        backend.subscribe(["#"])
        assert backend.status()["state"] == "stopped"
        stop(backend)
