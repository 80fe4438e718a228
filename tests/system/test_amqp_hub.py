"""A whole hub on a real RabbitMQ: it is killed, and so is the broker; nothing that was confirmed is lost."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from hub.message import Message
from tests.support import wait_until
from tests.system.hubs import RunningHub
from tests.system.rabbitmq import RabbitMQ
from tests.unit.backends.amqp.clients import running
from tests.unit.backends.support import turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

CONSUMERS = """
from hub import Consumer

class Echo(Consumer):
    topics = ["work"]
    def start(self):
        self.file = open("echo.txt", "ab", buffering=0)
    def consume(self, message):
        self.file.write(message.body + b"\\n")
        self.context.publish("done", message.body)
"""
DONE: dict[str, Any] = {"done": {}}


class Rig:
    """A hub in a directory of its own, whose consumer notes the numbers it is given, and answers each."""

    def __init__(self, directory: Path, broker: RabbitMQ, confirm: str) -> None:
        self.directory = directory
        self.port = broker.amqp_port
        (directory / "consumers.py").write_text(CONSUMERS)
        self.hub = RunningHub(
            directory,
            f"""
            [hub]
            state_dir = "state"
            [backends.bus]
            type = "amqp"
            connect = ["amqp://127.0.0.1:{broker.amqp_port}"]
            publish = ""
            prefetch = 50
            confirm = "{confirm}"
            reconnect_interval_max = "500ms"
            [backends.bus.queues.work]
            type = "quorum"
            [consumers.echo]
            type = "consumers.py:Echo"
            """,
        )

    def row(self) -> dict[str, Any]:
        row: dict[str, Any] = self.hub.status()["backends"]["bus"]
        return row

    def connected(self) -> None:
        wait_until(lambda: self.row()["state"] == "connected", 60, "the hub to be connected")

    def noted(self) -> set[int]:
        file = self.directory / "echo.txt"
        return {int(line) for line in file.read_bytes().split(b"\n")[:-1]} if file.exists() else set()

    def publish(self, numbers: range) -> None:
        """As another program; all are confirmed at the end."""
        with running(self.port, queues={}, publish="") as (client, _):
            outcomes: list[object] = []
            for number in numbers:
                client.publish(Message(f"id-{number}", "work", b"%d" % number)).addBoth(outcomes.append)
            turn_until(lambda: len(outcomes) == len(numbers), "the confirmations", 60)
            assert set(outcomes) == {None}

    def answered(self, count: int) -> None:
        """Until an answer to each message has come, and the broker has no message left."""
        with running(self.port, queues=DONE, prefetch=20_000) as (_, intake):
            turn_until(lambda: {int(one.body) for one in intake.messages} == set(range(count)), "the answers", 120)
        wait_until(lambda: self.row()["unacknowledged"] == 0, 60, "the last acknowledgement")


@pytest.mark.parametrize("confirm", ["stored", "settled"])
def test_nothing_is_lost_when_the_hub_is_killed_and_when_the_broker_is(tmp_path: Path, confirm: str) -> None:
    with RabbitMQ(tmp_path / "rabbitmq") as broker:
        directory = tmp_path / "hub"
        directory.mkdir()
        rig = Rig(directory, broker, confirm)
        with rig.hub:
            rig.connected()
            with running(rig.port, queues=DONE):
                pass  # it is declared: the answers have a queue
            rig.publish(range(1000))
            wait_until(lambda: len(rig.noted()) > 100, 60, "some to be worked")
            rig.hub.stop(signal.SIGKILL)
        with rig.hub:
            wait_until(lambda: rig.noted() == set(range(1000)), 120, "all to be worked")
            rig.connected()
            broker.control("stop_app")
            wait_until(lambda: rig.row()["not_ready"], 60, "the hub not to be ready")
            broker.control("start_app")
            rig.connected()
            rig.publish(range(1000, 1200))
            wait_until(lambda: rig.noted() == set(range(1200)), 120, "all to be worked")
            rig.answered(1200)
            assert json.dumps(rig.row()["malformed"]) == "{}"
