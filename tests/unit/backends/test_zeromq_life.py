"""A ZeroMQ backend pauses, publishes, stumbles and stops."""

import os
import uuid
from typing import Any

import pytest
import zmq

from hub.backends.zeromq import ZeroMQ
from hub.errors import CannotPublish
from hub.message import Message
from tests.support import PATIENCE
from tests.unit.backends.support import (
    REACTOR,
    Lines,
    Recorder,
    configured,
    hub_context,
    publisher,
    real_endpoint,
    running,
    stop,
    subscribed,
    turn_for,
    turn_until,
)

ANY = "tcp://127.0.0.1:*"
TOPIC = b"org.test.topic"
GOOD = b'{"msg_id":"good"}'


def test_a_pause_holds_and_a_resume_delivers() -> None:
    with running(bind=[ANY]) as (backend, intake), publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        backend.pause()
        bus.send_multipart([TOPIC, GOOD])
        turn_for(0.2)
        assert intake.messages == []
        assert backend.status()["state"] == "paused"
        with publisher(real_endpoint(backend.status())) as newcomer:
            assert subscribed(newcomer) == b"\x01"
            newcomer.send_multipart([TOPIC, GOOD])
            turn_for(0.1)
            backend.resume()
            turn_until(lambda: len(intake.messages) == 2, "both messages")


def test_while_paused_no_more_than_the_high_water_is_held() -> None:
    with running(bind=[f"ipc://@hubbub-test-{uuid.uuid4()}"], receive_high_water=100) as (backend, intake):
        with publisher(real_endpoint(backend.status()), sndhwm=100) as bus:
            subscribed(bus)
            backend.pause()
            for number in range(20_000):
                bus.send_multipart([TOPIC, b'{"pad":"%s","n":%d}' % (b"x" * 1000, number)])
            turn_for(0.3)
            backend.resume()
            turn_until(lambda: intake.messages, "the held messages")
            turn_for(0.3)
        assert len(intake.messages) < 5000


ARRIVAL = (0.3, 1.0, 10.0)
"""Seconds, for one try each: nobody is told when all that was sent has come to a socket that is not read."""


def test_a_stop_hands_over_what_the_socket_holds() -> None:
    assert any(handed_over(seconds) == 500 for seconds in ARRIVAL)


def handed_over(seconds: float) -> int:
    backend, intake = ZeroMQ(hub_context(configured(bind=[ANY], budget=50))), Recorder()
    backend.subscribe(["#"])
    backend.start(intake)
    with publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        backend.pause()
        for _ in range(500):
            bus.send_multipart([TOPIC, GOOD])
        turn_for(seconds)
        backend.resume()
        stop(backend)
    assert backend.status()["state"] == "stopped"
    stop(backend)
    return len(intake.messages)


def test_a_paused_stop_counts_what_it_can_not_hand_over() -> None:
    assert any(unread(seconds) == 30 for seconds in ARRIVAL)


def unread(seconds: float) -> int:
    backend, intake = ZeroMQ(hub_context(configured(bind=[ANY]))), Recorder()
    backend.subscribe(["#"])
    backend.start(intake)
    with publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        backend.pause()
        for _ in range(30):
            bus.send_multipart([TOPIC, GOOD])
        turn_for(seconds)
        stop(backend)
    assert intake.messages == []
    return int(backend.status()["unread"])


def test_nothing_is_left_open() -> None:
    def once() -> None:
        with running(bind=[ANY], publish_bind=[ANY]) as (backend, _), publisher(real_endpoint(backend.status())) as bus:
            subscribed(bus)

    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

    once()
    before = held()
    for _ in range(5):
        once()
    turn_until(lambda: held() <= before, "descriptors and threads to be given back")
    assert "zeromq" not in {reader.logPrefix() for reader in REACTOR.getReaders() if hasattr(reader, "logPrefix")}


class Faulty(Recorder):
    """An intake with a fault."""

    def receive(self, messages: list[Message], tokens: Any = (), answer: Any = None) -> None:
        if not self.batches:
            self.batches.append([])
            raise RuntimeError("a fault")
        super().receive(messages, tokens)


def test_a_fault_of_the_hub_does_not_make_it_deaf() -> None:
    lines, intake = Lines(), Faulty()
    backend = ZeroMQ(hub_context(configured(bind=[ANY]), lines))
    backend.subscribe(["#"])
    backend.start(intake)
    with publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        bus.send_multipart([TOPIC, GOOD])
        turn_until(lambda: backend.status()["lost"], "the fault")
        bus.send_multipart([TOPIC, GOOD])
        turn_until(lambda: intake.messages, "the next message")
        stop(backend)
    assert backend.status()["lost"] == 1
    assert any("internal error" in text for text in lines.texts)


def said(backend: ZeroMQ, body: bytes) -> bool:
    """Publish it once more."""
    backend.publish(Message("", "t", body))
    return True


def test_publishes_in_fedmsgs_envelope_and_goes_on_listening() -> None:
    with running(bind=[ANY], publish_bind=[ANY]) as (backend, intake):
        context: Any = zmq.Context()
        ear = context.socket(zmq.SUB)
        ear.subscribe(b"")
        ear.connect(real_endpoint(backend.status(), 1))
        try:
            turn_until(lambda: backend.status()["peers"] == 1, "the listener")
            turn_until(lambda: said(backend, b'{"a":1}') and ear.poll(10), "what was published")
            topic, body = ear.recv_multipart()
            assert topic == b"t"
            assert body.startswith(b'{"i":')
            assert b'"msg":{"a":1}' in body
            with publisher(real_endpoint(backend.status())) as bus:
                subscribed(bus)
                bus.send_multipart([TOPIC, GOOD])
                turn_until(lambda: intake.messages, "a message after a send")
            with pytest.raises(CannotPublish, match="JSON"):
                backend.publish(Message("", "t", b"no"))
            assert backend.status()["publish_failed"] == 1
        finally:
            context.destroy(linger=0)


def test_a_stop_sends_what_was_published() -> None:
    backend = ZeroMQ(hub_context(configured(publish_bind=[ANY], format="raw", linger=5)))
    backend.start(Recorder())
    context: Any = zmq.Context()
    ear = context.socket(zmq.SUB)
    ear.rcvhwm = 0
    ear.subscribe(b"")
    ear.connect(real_endpoint(backend.status()))
    try:
        turn_until(lambda: said(backend, b"first") and ear.poll(10), "the first message")
        for number in range(2000):
            backend.publish(Message("", "t", b"%d" % number))
        stop(backend)
        bodies: list[bytes] = []
        while ear.poll(10_000 * PATIENCE) and bodies[-1:] != [b"1999"]:
            bodies.append(ear.recv_multipart()[1])
        assert [body for body in bodies if body != b"first"] == [b"%d" % number for number in range(2000)]
    finally:
        context.destroy(linger=0)


def test_without_a_place_to_publish_it_says_so() -> None:
    with running(bind=[ANY]) as (backend, _), pytest.raises(CannotPublish, match="neither publish_bind"):
        backend.publish(Message("", "t", b"{}"))
