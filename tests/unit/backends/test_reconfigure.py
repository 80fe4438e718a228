"""A running ZeroMQ backend takes other endpoints."""

from __future__ import annotations

import socket as system
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import zmq

from hub.backends.zeromq import ZeroMQ
from hub.backends.zeromq.reconnect import GRACE
from hub.errors import CannotPublish, Unavailable
from hub.message import Message
from tests.support import PATIENCE, free_port
from tests.unit.backends.support import (
    Lines,
    configured,
    publisher,
    real_endpoint,
    running,
    subscribed,
    turn_for,
    turn_until,
)

ANY = "tcp://127.0.0.1:*"
TOPIC = b"org.test.topic"


def local() -> str:
    return f"tcp://127.0.0.1:{free_port()}"


def body(number: int) -> bytes:
    return b'{"n":%d}' % number


def is_free(endpoint: str) -> bool:
    try:
        with publisher(endpoint, bind=True):
            return True
    except zmq.ZMQError:
        return False


def said(backend: ZeroMQ, text: bytes) -> bool:
    backend.publish(Message("", "t", text))
    return True


def send(bus: Any, *numbers: int) -> None:
    for number in numbers:
        bus.send_multipart([TOPIC, body(number)])


def endpoints(backend: ZeroMQ) -> list[tuple[str, str]]:
    return [(row["configured"], row["state"]) for row in backend.status()["endpoints"]]


@contextmanager
def two_heard() -> Iterator[tuple[ZeroMQ, Any, list[Any], list[str]]]:
    """A backend that is connected to two publishers, its intake, the publishers, and where they are."""
    places = [local(), local()]
    with (
        publisher(places[0], bind=True) as one,
        publisher(places[1], bind=True) as two,
        running(connect=places) as (backend, intake),
    ):
        subscribed(one)
        subscribed(two)
        turn_until(lambda: backend.status()["state"] == "connected", "both connections")
        yield backend, intake, [one, two], places


def test_what_is_added_is_heard_and_the_others_stay() -> None:
    place = local()
    with running(bind=[ANY]) as (backend, intake), publisher(real_endpoint(backend.status())) as kept:
        subscribed(kept)
        with publisher(place, bind=True) as other:
            assert backend.reconfigure(configured(bind=[ANY, "tcp://[::1]:*"], connect=[place]))
            subscribed(other)
            with publisher(real_endpoint(backend.status(), 1), ipv6=True) as third:
                subscribed(third)
                for number, bus in enumerate([kept, other, third]):
                    send(bus, number)
                turn_until(lambda: len(intake.messages) == 3, "a message of each")
        assert endpoints(backend)[:2] == [(ANY, "listening"), ("tcp://[::1]:*", "listening")]


def test_what_is_dropped_is_not_heard_and_the_others_stay() -> None:
    with two_heard() as (backend, intake, (kept, dropped), places):
        assert backend.reconfigure(configured(connect=places[:1]))
        turn_until(lambda: len(endpoints(backend)) == 1, "it to go")
        send(dropped, 1)
        send(kept, 2)
        turn_until(lambda: intake.messages, "the message of the one that stays")
        turn_for(0.2)
        assert intake.bodies == [body(2)]
        assert endpoints(backend) == [(places[0], "connected")]
        assert (backend.status()["peers"], backend.status()["disconnects"]) == (1, 0)


def test_a_bound_one_that_is_dropped_is_closed_and_its_peers_do_not_count() -> None:
    place = local()
    with (
        running(bind=[ANY, place]) as (backend, intake),
        publisher(place, xpub_verboser=True) as bus,
        publisher(real_endpoint(backend.status())) as kept,
    ):
        subscribed(bus)
        subscribed(kept)
        turn_until(lambda: backend.status()["peers"] == 2, "both peers")
        assert backend.reconfigure(configured(bind=[ANY]))
        assert (endpoints(backend), backend.status()["peers"]) == ([(ANY, "listening")], 1)
        assert is_free(place)
        assert backend.reconfigure(configured(bind=[ANY, place]))
        subscribed(bus)
        send(bus, 1)
        turn_until(lambda: intake.messages, "a message by the endpoint that came back")
        turn_until(lambda: backend.status()["peers"] == 2, "both peers, again")


@pytest.mark.parametrize("how", ["connect", "bind"])
def test_what_had_arrived_by_one_that_is_dropped_is_read(how: str) -> None:
    """Nobody is told when all that was sent has come to a socket that is not read: one of some tries has to do."""
    numbers = [body(number) for number in range(500)]
    assert any(read_after_a_drop(how, len(numbers), seconds) == numbers for seconds in (0.3, 1.0, 10.0))


def read_after_a_drop(how: str, count: int, seconds: float) -> list[bytes]:
    place = local()
    with publisher(place, bind=how == "connect") as bus, running(budget=50, **{how: [place]}) as (backend, intake):
        subscribed(bus)
        backend.pause()
        send(bus, *range(count))
        turn_for(seconds)
        assert backend.reconfigure(configured(budget=50, publish_bind=[ANY]))
        assert endpoints(backend)[0] == ((place, "leaving") if how == "connect" else (ANY, "listening"))
        turn_for(0.1)
        assert intake.messages == []
        backend.resume()
        turn_until(lambda: endpoints(backend) == [(ANY, "listening")], "it to go")
    return intake.bodies


def test_one_that_comes_back_before_it_has_left_was_never_away() -> None:
    with two_heard() as (backend, intake, (_, bus), places):
        backend.pause()
        assert backend.reconfigure(configured(connect=places[:1]))
        assert endpoints(backend)[1] == (places[1], "leaving")
        assert backend.reconfigure(configured(connect=places))
        backend.resume()
        send(bus, 1)
        turn_until(lambda: intake.messages, "its message")
        assert endpoints(backend) == [(place, "connected") for place in places]
        assert not bus.poll(0)  # no subscription was taken back


def test_a_flood_does_not_keep_one_that_is_dropped() -> None:
    with two_heard() as (backend, _, (flood, _), places):
        assert backend.reconfigure(configured(connect=places[:1]))

        def gone() -> bool:
            send(flood, *range(5000))
            return len(endpoints(backend)) == 1

        turn_until(gone, "it to go")


def test_an_address_in_use_leaves_all_as_it_was() -> None:
    free, taken = local(), local()
    with publisher(taken, bind=True), two_heard() as (backend, intake, (one, two), places):
        before = backend.status()["endpoints"]
        wanted = configured(connect=places[:1], bind=[free, taken], publish_bind=[ANY])
        with pytest.raises(Unavailable, match=f"bind: {taken} can't be bound: Address already in use"):
            backend.reconfigure(wanted)
        assert backend.status()["endpoints"] == before
        assert is_free(free)
        send(one, 1)
        send(two, 2)
        turn_until(lambda: len(intake.messages) == 2, "a message of each")
        assert backend.status()["disconnects"] == 0
        with pytest.raises(CannotPublish, match="neither publish_bind"):
            backend.publish(Message("", "t", b"{}"))


def test_of_a_name_with_an_address_in_use_nothing_is_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [(system.AF_INET, 1, 6, "", (address, 0)) for address in ("127.0.0.1", "127.0.0.2")]
    monkeypatch.setattr(system, "getaddrinfo", lambda *_: addresses)
    port = free_port()
    with publisher(f"tcp://127.0.0.2:{port}", bind=True), running(bind=[ANY]) as (backend, _):
        with pytest.raises(Unavailable, match="in use"):
            backend.reconfigure(configured(bind=[ANY, f"tcp://two.example.org:{port}"]))
        turn_until(lambda: is_free(f"tcp://127.0.0.1:{port}"), "the first of its addresses to be free")


def test_other_settings_are_not_taken_nor_any_by_one_that_does_not_run() -> None:
    with running(bind=[ANY]) as (backend, _):
        assert not backend.reconfigure(configured(bind=[ANY, "tcp://[::1]:*"], budget=7))
        assert endpoints(backend) == [(ANY, "listening")]
    assert not backend.reconfigure(configured(bind=[ANY, "tcp://[::1]:*"]))


@contextmanager
def listener(endpoint: str) -> Iterator[Any]:
    context: Any = zmq.Context()
    try:
        socket = context.socket(zmq.SUB)
        socket.subscribe(b"")
        socket.connect(endpoint)
        yield socket
    finally:
        context.destroy(linger=0)


def test_it_publishes_where_it_is_told_and_its_counts_only_grow() -> None:
    dropped, kept = local(), local()
    with running(publish_bind=[dropped], format="raw") as (backend, _), listener(dropped) as one, listener(kept) as two:
        assert backend.reconfigure(configured(publish_bind=[dropped, kept], format="raw"))
        turn_until(lambda: said(backend, b"both") and one.poll(10) and two.poll(10), "the message at both")
        assert one.recv_multipart() == two.recv_multipart() == [b"t", b"both"]
        one.close()
        turn_until(lambda: backend.status()["disconnects"] == 1, "one to go")
        assert backend.reconfigure(configured(publish_bind=[kept], format="raw"))
        assert (endpoints(backend), backend.status()["disconnects"]) == ([(kept, "listening")], 1)
        backend.publish(Message("", "t", b"kept"))
        turn_until(lambda: two.poll(0) and two.recv_multipart()[1] == b"kept", "the message at the one that stays")
        turn_until(lambda: is_free(dropped), "the address to be free")


def test_what_was_published_to_a_relay_that_is_dropped_is_sent() -> None:
    place = local()
    with running(publish_connect=[place], format="raw", linger=5) as (backend, _):
        context: Any = zmq.Context()
        try:
            relay = context.socket(zmq.SUB)
            relay.rcvhwm = 0
            relay.subscribe(b"")
            relay.bind(place)
            turn_until(lambda: backend.status()["peers"] == 1, "the relay")
            turn_until(lambda: said(backend, b"first") and relay.poll(10), "the first message")
            for number in range(2000):
                backend.publish(Message("", "t", b"%d" % number))
            assert backend.reconfigure(configured(bind=[ANY], format="raw", linger=5))
            bodies: list[bytes] = []
            while relay.poll(10_000 * PATIENCE) and bodies[-1:] != [b"1999"]:
                bodies.append(relay.recv_multipart()[1])
            assert [text for text in bodies if text != b"first"] == [b"%d" % number for number in range(2000)]
        finally:
            context.destroy(linger=0)


def test_a_new_open_door_is_warned_of_once() -> None:
    lines = Lines()
    with running(bind=["tcp://*:*"], lines=lines) as (backend, _):
        for others in ([ANY], [ANY, "tcp://0.0.0.0:*"]):
            assert backend.reconfigure(configured(bind=["tcp://*:*", *others]))
    warned = [text.split()[0] for text in lines.texts if "can be reached from other machines" in text]
    assert warned == ["tcp://*:*", "tcp://0.0.0.0:*"]


def test_a_connection_that_broke_while_paused_is_made_again_after_what_it_brought_is_read() -> None:
    place, limits = local(), {"max_frame_size": "2KiB", "max_message_size": "1KiB", "reconnect_interval_max": "200ms"}
    with publisher(place, bind=True, xpub_verboser=True) as bus, running(connect=[place], **limits) as (hub, intake):
        subscribed(bus)
        hub.pause()
        send(bus, *range(20))
        turn_for(0.2)
        bus.send_multipart([TOPIC, b" " * 4096])
        turn_until(lambda: hub.status()["disconnects"], "ZeroMQ to give up")
        turn_for(GRACE + 0.2)
        assert hub.status()["revivals"] == 0
        hub.resume()
        turn_until(lambda: len(intake.messages) == 20, "what had arrived")
        turn_until(lambda: hub.status()["revivals"], "a new connection")
        assert {subscribed(bus), subscribed(bus)} == {b"\x00", b"\x01"}
        send(bus, 20)
        turn_until(lambda: len(intake.messages) == 21, "a message by the new connection")
