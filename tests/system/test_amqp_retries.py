"""Messages that are put off keep their places in RabbitMQ's prefetch, if it is told after the work: that is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.message import Message
from tests.support import wait_until
from tests.system.hubs import RunningHub
from tests.system.rabbitmq import RabbitMQ
from tests.unit.backends.amqp.clients import running
from tests.unit.backends.support import turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
CONSUMER = """
from pathlib import Path
from hub import Consumer, Retry


class PutsOff(Consumer):
    topics = ("#",)

    def consume(self, message):
        if message.body == b"later" and not Path("now").exists():
            raise Retry(2)
        with open("done", "ab") as file:
            file.write(message.body + b"\\n")
"""
TEXT = """
[hub]
state_dir = "state"
[backends.bus]
type = "amqp"
connect = ["{url}"]
confirm = "settled"
[backends.bus.queues.retries]
prefetch = 4
[consumers.puts-off]
type = "consumer.py:PutsOff"
durable = false
"""


def publish(broker: RabbitMQ, *bodies: bytes) -> None:
    with running(connect=[broker.url], queues={}, publish="") as (client, _):
        outcomes: list[object] = []
        for number, body in enumerate(bodies):
            client.publish(Message(f"id-{number}", "retries", body)).addBoth(outcomes.append)
        turn_until(lambda: outcomes == [None] * len(bodies), "the confirmations", 30)


def conditions(hub: RunningHub) -> dict[str, Any]:
    return {one["word"]: one for one in hub.consumer("puts-off")["conditions"]}


def test_a_queue_that_stands_still_for_its_retries_says_so(rabbitmq: RabbitMQ, tmp_path: Path) -> None:
    (tmp_path / "consumer.py").write_text(CONSUMER)
    with RunningHub(tmp_path, TEXT.format(url=rabbitmq.url)) as hub:
        wait_until(lambda: hub.status()["backends"]["bus"]["not_ready"] is None, 30, "the subscription")
        publish(rabbitmq, *[b"later"] * 4, b"good")
        wait_until(lambda: "holding up" in conditions(hub), 30, "the condition")
        found = conditions(hub)["holding up"]
        reason = "the broker sends no more from queue retries, whose prefetch of 4 is used up"
        assert found["level"] == "warn"
        assert found["reason"].startswith(reason)
        hub.logs(f"backend bus is held up: {reason}; 4 of 4 messages wait for their next attempt")
        assert not (tmp_path / "done").exists()
        (tmp_path / "now").touch()
        wait_until(lambda: (tmp_path / "done").exists() and b"good" in (tmp_path / "done").read_bytes(), 60, "the rest")
        wait_until(lambda: "holding up" not in conditions(hub), 30, "the condition to go")
        hub.logs("backend bus is held up no more")
