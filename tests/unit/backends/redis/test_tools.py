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
