"""The command line as a peer on the bus."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from hub.backends.redis.client import Redis
from hub.backends.redis.tools import channel_of
from hub.errors import CannotPublish, Unavailable
from hub.message import Message
from tests.support import free_port, wait_until
from tests.unit.backends.redis.clients import settings
from tests.unit.backends.redis.double import Double


def listened(server: Double, config: Any, count: int) -> tuple[threading.Thread, list[Message]]:
    """Start to listen for some messages, in a thread."""
    found: list[Message] = []

    def listen() -> None:
        for message in Redis.listener(config, ["#"]):
            found.append(message)
            if len(found) == count:
                return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    return thread, found


def test_a_sender_adds_to_the_stream(server: Double) -> None:
    sender = Redis.sender(settings(server.port))
    assert sender.wait(0)
    sender.publish(Message("x", "a.b", b"1", {"n": 1}))
    sender.forward("a.c", b"2")
    sender.close()
    assert server.streams.bodies("work") == [b"1", b"2"]


def test_a_listener_takes_nothing_from_the_group(server: Double) -> None:
    server.do("XADD", "work", "*", "body", "before")
    server.do("XGROUP", "CREATE", "work", "hubbub", "0")
    thread, found = listened(server, settings(server.port), 1)
    wait_until(lambda: "XREAD" in server.commands, what="the listener")
    server.do("XADD", "work", "*", "body", "after")
    thread.join(30)
    assert [one.body for one in found] == [b"after"]
    assert server.do("XPENDING", "work", "hubbub")[0] == 0


def test_a_listener_whose_connection_ends_connects_again_and_leaves_nothing_out(server: Double) -> None:
    thread, found = listened(server, settings(server.port), 2)
    wait_until(lambda: "XREAD" in server.commands, what="the listener")
    server.do("XADD", "work", "*", "body", "1")
    wait_until(lambda: found, what="the first message")
    server.drop()
    server.do("XADD", "work", "*", "body", "2")
    thread.join(30)
    assert [one.body for one in found] == [b"1", b"2"]


def test_a_listener_of_channels_connects_again(server: Double) -> None:
    thread, found = listened(server, settings(server.port, streams=[], channels=["b"]), 1)
    wait_until(lambda: "SUBSCRIBE" in server.commands, what="the listener")
    server.drop()
    wait_until(lambda: server.commands.count("SUBSCRIBE") == 2, what="the next subscription")
    wait_until(lambda: server.do("PUBLISH", "b", "1") == 1, what="the listener")
    thread.join(30)
    assert [one.body for one in found] == [b"1"]


def test_a_listener_that_is_refused_says_why(server: Double) -> None:
    server.refuse = lambda command: "NOPERM no rights" if command[0] == b"XREAD" else None
    with pytest.raises(Unavailable, match="NOPERM no rights"):
        next(Redis.listener(settings(server.port), ["#"]))


def test_channels_both_ways(server: Double) -> None:
    config = settings(server.port, streams=[], channels=["a.*", "b"])
    thread, found = listened(server, config, 2)
    wait_until(lambda: {"SUBSCRIBE", "PSUBSCRIBE"} <= set(server.commands), what="the listener")
    sender = Redis.sender(config)
    wait_until(lambda: server.do("PUBLISH", "b", "1") == 1, what="the subscription")
    sender.publish(Message("x", "a.c", b"2"))
    thread.join(30)
    assert [(one.topic, one.body) for one in found] == [("b", b"1"), ("a.c", b"2")]
    with pytest.raises(CannotPublish, match=r"no channel of the backend brings messages for z"):
        sender.publish(Message("x", "z", b""))
    sender.close()


def test_a_channel_for_a_topic() -> None:
    config = settings(1, streams=[], channels=["a.*", "b"], format="fedmsg")
    assert channel_of("a.x", config) == "a.x"
    assert channel_of("z", config) == "b"


def test_what_is_in_the_way_is_told(server: Double) -> None:
    with pytest.raises(Unavailable, match="no streams or channels"):
        Redis.sender(settings(server.port, streams=[], publish="out"))
    with pytest.raises(Unavailable, match="Connection refused"):
        Redis.sender(settings(free_port()))
    server.refuse = lambda command: "OOM no memory" if command[0] == b"XADD" else None
    sender = Redis.sender(settings(server.port))
    with pytest.raises(Unavailable, match="OOM no memory"):
        sender.publish(Message("x", "a", b""))
    sender.close()


def to_channel(server: Double, headers: dict[str, Any], **given: Any) -> Message:
    """Send a message to a channel, and hear it."""
    config = settings(server.port, streams=[], channels=["b"], **given)
    thread, found = listened(server, config, 1)
    wait_until(lambda: "SUBSCRIBE" in server.commands, what="the listener")
    sender = Redis.sender(config)
    try:
        sender.publish(Message("x", "b", b'{"n":1}', headers))
    finally:
        sender.close()
        server.do("PUBLISH", "b", "{}")  # for a listener that heard nothing
    thread.join(30)
    return found[0]


@pytest.mark.parametrize(
    ("given", "headers", "lost"),
    [
        ({}, {"h": "v", "n": 1}, "h, n"),
        ({"format": "cloudevents", "cloudevents_source": "/here"}, {"ce-type": "t", "h": "v"}, "h"),
    ],
)
def test_a_header_that_a_channel_has_no_place_for_is_refused(
    server: Double, given: dict[str, Any], headers: dict[str, Any], lost: str
) -> None:
    config = settings(server.port, streams=[], channels=["b"], **given)
    sender = Redis.sender(config)
    with pytest.raises(CannotPublish, match=f"no place for headers but in fedmsg's envelope: {lost} would be lost"):
        sender.publish(Message("x", "b", b'{"n":1}', headers))
    sender.close()
    both = settings(server.port, publish=None, publish_channel="{topic}", **given)
    assert lost in str(Redis.no_place_for(both, headers))
    assert Redis.no_place_for(settings(server.port, **given), headers) is None


def test_a_header_that_an_envelope_or_an_event_has_place_for_arrives(server: Double) -> None:
    found = to_channel(server, {"h": "v", "n": 1}, format="fedmsg")
    assert (dict(found.headers), found.json()["msg"]) == ({"h": "v", "n": 1}, {"n": 1})


def test_an_event_in_a_channel_is_whole_whatever_the_mode(server: Double) -> None:
    given = {"format": "cloudevents", "cloudevents_source": "/here", "cloudevents_mode": "binary"}
    found = to_channel(server, {"ce-type": "t"}, **given)
    assert (found.headers["ce-type"], found.json()) == ("t", {"n": 1})
