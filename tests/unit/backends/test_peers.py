"""The command line's sender and listener, against a backend and against each other."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from hub.backends.zeromq import ZeroMQ
from hub.backends.zeromq.sockets import reachable
from hub.errors import CannotPublish, Unavailable
from hub.interfaces import BusTools
from hub.message import Message
from tests.support import free_port
from tests.unit.backends.support import configured, publisher, running, subscribed, turn_until

TOOLS: type[BusTools] = ZeroMQ


def endpoint() -> str:
    return f"tcp://127.0.0.1:{free_port()}"


def waited(sender: Any, timeout: float = 10.0) -> list[bool]:
    """Wait in a thread, while this one turns the reactor."""
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(sender.wait(timeout)))
    thread.start()
    turn_until(lambda: answers, "the sender's answer", timeout + 5)
    thread.join()
    return answers


def test_it_connects_where_the_hub_binds() -> None:
    place = endpoint()
    with running(bind=[place]) as (_, intake):
        sender = ZeroMQ.sender(configured(bind=[place]))
        assert waited(sender) == [True]
        sender.publish(Message("", "a.b", b'{"n":1}'))
        sender.forward("a.c", b'{"msg_id":"recorded"}')
        sender.close()
        turn_until(lambda: len(intake.messages) == 2, "both messages")
        assert [message.topic for message in intake.messages] == ["a.b", "a.c"]
        assert intake.messages[0].json()["msg"] == {"n": 1}
        assert intake.messages[1].id == "recorded"


def test_it_binds_where_the_hub_only_connects() -> None:
    place = endpoint()
    with running(connect=[place]) as (_, intake):
        sender = ZeroMQ.sender(configured(connect=[place]))
        assert waited(sender) == [True]
        sender.forward("a.c", b"{}")
        sender.close()
        turn_until(lambda: intake.messages, "the message")


def test_what_those_send_who_come_and_go_arrives_however_soon_the_hub_connects_again() -> None:
    """Each begins at the moment when the hub has just made its connection to the address anew."""
    place = endpoint()
    with running(connect=[place]) as (backend, intake):
        for number in range(1, 9):
            sender = ZeroMQ.sender(configured(connect=[place]))
            assert waited(sender) == [True]
            sender.forward("a", b"{}")
            sender.close()
            turn_until(lambda: len(intake.messages) == number, f"message {number}")  # noqa: B023
            turn_until(lambda: backend.status()["revivals"] >= number, "the hub to connect again")  # noqa: B023


def flood(sender: Any, count: int) -> None:
    for _ in range(count):
        sender.forward("a", b"{}")


def test_a_flood_is_held_back_and_not_dropped() -> None:
    place = endpoint()
    with running(bind=[place], receive_high_water=100) as (_, intake):
        sender = ZeroMQ.sender(configured(bind=[place], send_high_water=100))
        assert waited(sender) == [True]
        thread = threading.Thread(target=flood, args=(sender, 20_000))
        thread.start()
        turn_until(lambda: len(intake.messages) == 20_000, "all messages", 30)
        thread.join()
        sender.close()


def test_nobody_listens() -> None:
    sender = ZeroMQ.sender(configured(connect=[endpoint()]))
    assert sender.wait(0.1) is False
    sender.close()


def test_a_publisher_that_is_there_already_is_told_of() -> None:
    place = endpoint()
    with publisher(place, bind=True), pytest.raises(Unavailable, match=r"addresses can be bound here.*in use"):
        ZeroMQ.sender(configured(connect=[place]))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"bind": ["tcp://127.0.0.1:*"]}, "configure a fixed one"),
        ({"publish_bind": ["tcp://127.0.0.1:1"]}, "does not receive"),
        ({"connect": ["tcp://192.0.2.1:1"]}, "none of their addresses can be bound here"),
    ],
)
def test_where_no_sender_can_be_had_it_says_why(settings: dict[str, Any], why: str) -> None:
    with pytest.raises(Unavailable, match=why):
        ZeroMQ.sender(configured(**settings))


def test_a_curve_publisher_can_not_be_stood_in_for(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(zmq.curve_keypair()[0])
    with pytest.raises(Unavailable, match="CURVE key that only they have"):
        ZeroMQ.sender(configured(connect=["tcp://127.0.0.1:1"], curve_server_key_file=str(tmp_path / "key")))


def curve(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "secret").write_bytes(zmq.curve_keypair()[1])
    (tmp_path / "nobody").write_text("# nobody\n")
    return {"curve_secret_key": f"file:{tmp_path}/secret", "curve_allowed_keys_file": str(tmp_path / "nobody")}


def plain(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "password").write_text("word")
    return {"plain_username": "u", "plain_password": f"file:{tmp_path}/password"}


@pytest.mark.parametrize(("direction", "security"), [("bind", curve), ("bind", plain), ("connect", plain)])
def test_it_gets_in_with_the_hubs_own_settings(direction: str, security: Any, tmp_path: Path) -> None:
    options = {direction: [endpoint()]} | security(tmp_path)
    with running(**options) as (_, intake):
        sender = ZeroMQ.sender(configured(**options))
        assert waited(sender) == [True]
        sender.forward("a", b"{}")
        turn_until(lambda: intake.messages, "the message")
        sender.close()


def test_it_publishes_json_only() -> None:
    sender = ZeroMQ.sender(configured(connect=[endpoint()]))
    with pytest.raises(CannotPublish):
        sender.publish(Message("", "a", b"no"))
    sender.close()


def heard(listener: Iterator[Message]) -> tuple[list[Message], threading.Thread]:
    """The first message, taken in a thread that then closes the listener."""
    found: list[Message] = []

    def take() -> None:
        found.append(next(listener))
        listener.close()  # type: ignore[attr-defined]

    thread = threading.Thread(target=take)
    thread.start()
    return found, thread


def test_a_listener_hears_what_the_hub_hears_and_passes_over_what_is_malformed() -> None:
    place = endpoint()
    with publisher(place, bind=True) as bus:
        found, thread = heard(ZeroMQ.listener(configured(connect=[place]), ["a.#"]))
        assert subscribed(bus) == b"\x01a"
        for frames in ([b"a"], [b"a", b"null"], [b"a.b", b'{"msg_id":"x"}']):
            bus.send_multipart(frames)
        turn_until(lambda: found, "the message")
        thread.join()
        assert (found[0].id, found[0].topic) == ("x", "a.b")


def test_a_listener_that_was_cut_off_for_a_frame_too_large_hears_on() -> None:
    place = endpoint()
    limits = {"max_frame_size": "1MiB", "max_message_size": "1MiB"}
    with publisher(place, bind=True, xpub_verboser=True) as bus:
        found, thread = heard(ZeroMQ.listener(configured(connect=[place], **limits), ["#"]))
        subscribed(bus)
        bus.send_multipart([b"a", b" " * (2 << 20)])
        assert {subscribed(bus), subscribed(bus)} == {b"\x00", b"\x01"}
        bus.send_multipart([b"a", b'{"msg_id":"x"}'])
        turn_until(lambda: found, "the message")
        thread.join()
        assert found[0].id == "x"


def test_a_listener_hears_what_the_hub_publishes(tmp_path: Path) -> None:
    options = {"publish_bind": [endpoint()], "bind": [endpoint()]} | curve(tmp_path)
    with running(**options) as (backend, _):
        found, thread = heard(ZeroMQ.listener(configured(**options), ["#"]))
        turn_until(lambda: backend.status()["peers"], "the listener")

        def found_at_last() -> bool:
            backend.publish(Message("", "a", b"{}"))
            return bool(found)

        turn_until(found_at_last, "the message")
        thread.join()
        assert found[0].topic == "a"


def test_where_only_the_hub_hears_its_publishers_a_listener_says_so() -> None:
    with pytest.raises(Unavailable, match="only the running hub receives from them"):
        ZeroMQ.listener(configured(bind=["tcp://127.0.0.1:1"]), ["#"])


def test_a_listener_gives_back_its_descriptors() -> None:
    place = endpoint()
    before = len(os.listdir("/proc/self/fd"))
    with publisher(place, bind=True) as bus:
        found, thread = heard(ZeroMQ.listener(configured(connect=[place]), ["#"]))
        subscribed(bus)
        bus.send_multipart([b"a", b"{}"])
        turn_until(lambda: found, "the message")
        thread.join()
    assert len(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize(
    ("binds", "expected"),
    [
        (["tcp://*:5"], "tcp://127.0.0.1:5"),
        (["tcp://0.0.0.0:5"], "tcp://127.0.0.1:5"),
        (["tcp://[::]:5"], "tcp://[::1]:5"),
        (["tcp://127.0.0.1:*", "ipc:///a"], "ipc:///a"),
        (["tcp://10.1.1.1:5", "tcp://*:6"], "tcp://10.1.1.1:5"),
    ],
)
def test_reachable(binds: list[str], expected: str) -> None:
    assert reachable(binds) == expected


def test_a_header_that_raw_messages_have_no_place_for_is_refused() -> None:
    place = endpoint()
    raw, fedmsg = (configured(bind=[place], format=kind) for kind in ("raw", "fedmsg"))
    sender = ZeroMQ.sender(raw)
    with pytest.raises(CannotPublish, match="format = 'raw' has no place for headers: h would be lost"):
        sender.publish(Message("", "a.b", b"1", {"h": "v"}))
    sender.close()
    assert ZeroMQ.no_place_for(raw, ["h"])
    assert ZeroMQ.no_place_for(raw, []) is None
    assert ZeroMQ.no_place_for(fedmsg, ["h"]) is None
