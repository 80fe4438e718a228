"""A whole hub on a RabbitMQ, whose consumer notes the numbers it is given, and answers each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hub.message import Message
from tests.support import wait_until
from tests.system.hubs import RunningHub
from tests.system.rabbitmq import RabbitMQ
from tests.unit.backends.amqp.clients import running
from tests.unit.backends.support import turn_until

CONSUMERS = """
import time
from hub import Consumer, Settings

class Echo(Consumer):
    topics = ["work"]
    def start(self):
        self.file = open("echo.txt", "ab", buffering=0)
    def consume(self, message):
        self.file.write(message.body + b"\\n")
        time.sleep(self.context.config.takes)
        self.context.publish("done", message.body)

    class Config(Settings):
        takes: float = 0.0
"""
QUORUM: dict[str, Any] = {"work": {"type": "quorum"}}
DONE: dict[str, Any] = {"done": {}}


class AmqpHub:
    """A hub in a directory of its own.

    :param confirm: its setting. :param takes: seconds of the work on a message. :param backend: further lines of its
        configuration. :param consumer: of the consumer's.
    """

    def __init__(
        self,
        directory: Path,
        broker: RabbitMQ,
        confirm: str = "stored",
        takes: float = 0.0,
        backend: str = "",
        consumer: str = "",
    ) -> None:
        directory.mkdir()
        self.directory = directory
        self.broker = broker
        (directory / "consumers.py").write_text(CONSUMERS)
        self.hub = RunningHub(
            directory,
            f"""
            [hub]
            state_dir = "state"
            [backends.bus]
            type = "amqp"
            connect = ["{broker.url}"]
            publish = ""
            prefetch = 50
            confirm = "{confirm}"
            reconnect_interval_max = "500ms"
            {backend}
            [backends.bus.queues.work]
            type = "quorum"
            [consumers.echo]
            type = "consumers.py:Echo"
            takes = {takes}
            {consumer}
            """,
        )

    def row(self) -> dict[str, Any]:
        row: dict[str, Any] = self.hub.status()["backends"]["bus"]
        return row

    def connected(self) -> None:
        wait_until(lambda: self.row()["not_ready"] is None, 60, "the hub to be connected")
        assert self.hub.status()["hub"]["ready"]

    def red(self, text: str, timeout: float = 60) -> None:
        """Until the hub is not ready for this reason, and says so of itself."""
        status: dict[str, Any] = {}

        def is_red() -> bool:
            status.update(self.hub.status())
            found = status["backends"]["bus"]["not_ready"]
            return found is not None and text in found

        wait_until(is_red, timeout, lambda: f"{text!r}: {status['backends']['bus']}")
        hub = status["hub"]
        assert not hub["ready"]
        assert any(reason.startswith("backend bus ") for reason in hub["not_ready"]), hub["not_ready"]

    def noted(self) -> Counter[int]:
        """How often each number was worked."""
        file = self.directory / "echo.txt"
        return Counter(map(int, file.read_bytes().split(b"\n")[:-1])) if file.exists() else Counter()

    def all_noted(self, count: int) -> Counter[int]:
        wait_until(lambda: len(self.noted()) >= count, 120, lambda: f"{count} to be worked, not {len(self.noted())}")
        return self.noted()

    def client(self, **given: Any) -> Any:
        """Another program at the broker."""
        return running(**{"connect": [self.broker.url], **given})

    def declare(self) -> None:
        """Make the queue of the answers."""
        with self.client(queues=DONE):
            pass
        self.broker.control("purge_queue", "done")  # of an earlier test on the same broker

    def publish(self, numbers: Sequence[int]) -> None:
        """As another program; all are confirmed at the end."""
        with self.client(queues={}, publish="") as (client, _):
            outcomes: list[object] = []
            for number in numbers:
                client.publish(Message(f"id-{number}", "work", b"%d" % number)).addBoth(outcomes.append)
            turn_until(lambda: len(outcomes) == len(numbers), "the confirmations", 60)
            assert set(outcomes) == {None}

    def answered(self, count: int) -> Counter[int]:
        """Until an answer to each message has come, and the broker has no message left. :returns: how many of each."""
        with self.client(queues=DONE, prefetch=20_000) as (client, intake):

            def missing() -> set[int]:
                return set(range(count)) - {int(one.body) for one in intake.messages}

            turn_until(lambda: not missing(), "the answers", 180)
            wait_until(lambda: self.row()["unacknowledged"] == 0, 60, "the last acknowledgement")
            client.confirm(intake.tokens)
            return Counter(int(one.body) for one in intake.messages)
