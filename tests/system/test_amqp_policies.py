"""Policies of a RabbitMQ that change under the hub, and connections that its operator closes."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.message import Message
from tests.support import wait_until
from tests.system.amqp_hub import AmqpHub
from tests.system.rabbitmq import RabbitMQ
from tests.unit.backends.amqp.clients import connected, running
from tests.unit.backends.support import turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

_names = itertools.count(1)


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"policy-{next(_names)}"


@contextmanager
def policy(broker: RabbitMQ, queue: str, **rules: Any) -> Iterator[None]:
    """A policy of one queue, for a while."""
    broker.control("set_policy", queue, f"^{queue}$", json.dumps(rules), "--apply-to", "queues")
    try:
        yield
    finally:
        broker.control("clear_policy", queue)


def test_a_queue_that_a_policy_makes_full_is_told_and_waited_for(cleared_rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    rig = AmqpHub(tmp_path / "hub", cleared_rabbitmq)
    with rig.hub as hub:
        rig.connected()
        rig.declare()
        with policy(cleared_rabbitmq, "done", **{"max-length": 1, "overflow": "reject-publish"}):
            rig.publish(range(200))
            rig.red("a queue may be full")
            row = rig.row()
            assert row["outbox_state"] == "retrying"
            assert "does not accept it (basic.nack)" in row["outbox_error"]
            assert row["outbox_waiting"] > 0
            rig.all_noted(200)  # receiving goes on
        wait_until(lambda: rig.row()["not_ready"] is None, 60, "the hub to be ready")
        answers = rig.answered(200)
        assert answers.total() == 200  # a nack means that it is not in the queue
        assert rig.noted().total() == 200
        assert rig.row()["outbox_failed"] == 0
        assert hub.stop() == 0


def test_a_queue_is_consumed_on_whatever_its_policy_says(rabbitmq: RabbitMQ, name: str) -> None:
    short: dict[str, Any] = {"reconnect_interval_max": "500ms"}
    with running(rabbitmq.amqp_port, queues={name: {"type": "classic"}}, publish="", **short) as (client, intake):
        number = itertools.count()

        def goes_round() -> None:
            body = b"%d" % next(number)
            client.publish(Message("m", name, body))
            turn_until(lambda: body in intake.bodies, "the message", 30)
            client.confirm(intake.tokens[-1:])

        goes_round()
        rules = {"queue-mode": "lazy", "message-ttl": 60_000, "max-length": 5, "expires": 600_000}
        with policy(rabbitmq, name, **rules):
            goes_round()
            rabbitmq.control("close_all_connections", "maintenance", "--vhost", "/")
            turn_until(lambda: client.status()["disconnects"] == 2, "the end of both connections", 30)
            connected(client)
            goes_round()  # the queue is declared without what the policy says
        goes_round()
        assert client.status()["malformed"] == {}


def test_a_delivery_limit_by_policy_buries_with_its_reason(rabbitmq: RabbitMQ, name: str) -> None:
    dead = f"{name}-dead"
    rules = {"delivery-limit": 1, "dead-letter-exchange": "", "dead-letter-routing-key": dead}
    queue = {name: {"type": "quorum"}}
    with running(rabbitmq.amqp_port, queues={dead: {}}, publish="") as (client, buried):
        with running(rabbitmq.amqp_port, queues=queue) as (_, intake):
            client.publish(Message("m", name, b"1"))
            turn_until(lambda: intake.messages, "the message", 30)
            with policy(rabbitmq, name, **rules):
                rabbitmq.control("close_all_connections", "maintenance", "--vhost", "/")
                turn_until(lambda: len(intake.messages) == 2, "the message again", 30)
                rabbitmq.control("close_all_connections", "maintenance", "--vhost", "/")
                turn_until(lambda: buried.messages, "the dead letter", 30)
        (death,) = json.loads(str(buried.messages[0].headers["x-death.json"]))
        assert (death["reason"], death["queue"]) == ("delivery_limit", name)
