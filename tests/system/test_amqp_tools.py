"""The command line's sender and listener, on a real RabbitMQ."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from hub.backends.amqp.client import AmqpClient
from hub.errors import CannotPublish, Unavailable
from hub.interfaces import BusTools
from hub.message import Message
from tests.support import free_port, wait_until
from tests.system.amqp_hub import AmqpHub
from tests.system.rabbitmq import RabbitMQ
from tests.unit.backends.amqp.clients import running, settings
from tests.unit.backends.support import turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

TOOLS: type[BusTools] = AmqpClient
QUEUES: dict[str, Any] = {"tools": {"bindings": [{"exchange": "amq.topic", "keys": ["tools.#"]}]}, "tools-plain": {}}


def test_what_is_sent_reaches_the_hub_and_the_listener_beside_it(rabbitmq: RabbitMQ) -> None:
    given: dict[str, Any] = {"queues": QUEUES, "publish": "amq.fanout", "routing_key": "elsewhere"}
    config, heard = settings(rabbitmq.amqp_port, **given), list[Message]()
    with running(rabbitmq.amqp_port, **given) as (_, intake):
        listener = TOOLS.listener(config, ["#"])
        thread = threading.Thread(target=lambda: heard.append(next(listener)), daemon=True)
        thread.start()
        sender = TOOLS.sender(config)
        assert sender.wait(1.0)
        sender.publish(Message("m", "tools.a", b"1", {"n": 3}))
        sender.forward("tools-plain", b"2")
        with pytest.raises(CannotPublish, match=r"no queue of the backend brings messages for other\.a"):
            sender.publish(Message("x", "other.a", b"1"))
        sender.close()
        turn_until(lambda: len(intake.messages) == 2, "the messages")
        wait_until(lambda: heard, 20, "the listener")
        thread.join(20)
        listener.close()  # type: ignore[attr-defined]
        found = {(one.topic, one.body, one.headers.get("n")) for one in intake.messages}
        assert found == {("tools.a", b"1", 3), ("tools-plain", b"2", None)}
        assert [(one.id, one.topic, one.body) for one in heard] == [("m", "tools.a", b"1")]


def test_who_can_not_connect_or_listen_says_why(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    passcode = tmp_path / "passcode"
    passcode.write_text("wrong")
    with pytest.raises(Unavailable, match=r"amqp://127\.0\.0\.1:.*refused"):
        TOOLS.sender(settings(free_port()))
    with pytest.raises(Unavailable, match="ACCESS_REFUSED"):
        TOOLS.sender(settings(rabbitmq.amqp_port, login="guest", passcode=f"file:{passcode}"))
    with pytest.raises(Unavailable, match="each of their messages goes to one reader"):
        TOOLS.listener(settings(rabbitmq.amqp_port), ["#"])
    with pytest.raises(Unavailable, match="it has no queues"):
        TOOLS.sender(settings(rabbitmq.amqp_port, queues={}, publish="amq.topic"))


def test_a_listener_that_the_broker_refuses_says_why_and_leaves_no_connection(rabbitmq: RabbitMQ) -> None:
    queues = {"tools": {"bindings": [{"exchange": "nowhere", "keys": ["#"]}]}}
    with pytest.raises(Unavailable, match="refuses to send: NOT_FOUND - no exchange 'nowhere'"):
        TOOLS.listener(settings(rabbitmq.amqp_port, queues=queues), ["#"])
    wait_until(lambda: "hubbub tail" not in rabbitmq.control("list_connections", "client_properties"), 30, "the end")


def test_a_listener_whose_connection_ends_connects_again(rabbitmq: RabbitMQ) -> None:
    queues = {"tools-again": {"bindings": [{"exchange": "amq.topic", "keys": ["again.#"]}]}}
    heard: list[bytes] = []

    def hear() -> None:
        for message in TOOLS.listener(settings(rabbitmq.amqp_port, queues=queues), ["#"]):
            heard.append(message.body)
            if message.body == b"after":
                return

    def sent(body: bytes) -> bool:
        with running(rabbitmq.amqp_port, queues=queues) as (_, _):
            sender = TOOLS.sender(settings(rabbitmq.amqp_port, queues=queues))
            sender.publish(Message("m", "again.a", body))
            sender.close()
        return body in heard

    thread = threading.Thread(target=hear, daemon=True)
    thread.start()
    wait_until(lambda: sent(b"before"), 30, "the first message")
    rabbitmq.control("close_all_connections", "a test")
    wait_until(lambda: sent(b"after"), 30, "a message on the next connection")
    thread.join(20)
    assert not thread.is_alive()


def test_the_command_line_is_a_peer(cleared_rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    rig = AmqpHub(tmp_path / "hub", cleared_rabbitmq)
    with rig.hub as hub:
        rig.connected()
        hub.command("publish", "work", "7")
        wait_until(lambda: 7 in rig.noted(), 30, "the message")
