"""Messages that RabbitMQ refuses, each in its own way: it costs only that message, and the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.errors import HubError
from tests.support import wait_until
from tests.system.hubs import RunningHub
from tests.system.rabbitmq import RabbitMQ
from tests.unit.backends.amqp.clients import running
from tests.unit.backends.support import turn_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
TEXT = """
[hub]
state_dir = "state"
[backends.bus]
type = "amqp"
connect = ["{url}"]
publish = "amq.topic"
reconnect_interval_max = "200ms"
"""
BOUND = {"poison": {"bindings": [{"exchange": "amq.topic", "keys": ["poison.#"]}]}}


class Bench:
    """A hub that publishes, and a program that reads it."""

    def __init__(self, hub: RunningHub, intake: Any) -> None:
        self.hub, self.intake, self.count = hub, intake, 0

    def publish(self, body: str, topic: str = "poison.a", **headers: Any) -> None:
        order = {"topic": topic, "body": body, "backend": "bus", "headers": headers}
        self.hub.client.post("/publish", order)

    def good(self) -> None:
        """Publish some good ones."""
        for _ in range(5):
            self.count += 1
            self.publish(f"good {self.count}")

    def all_good(self) -> None:
        """Wait until all good ones have come."""
        wanted = {f'"good {number + 1}"'.encode() for number in range(self.count)}
        turn_until(lambda: wanted <= {one.body for one in self.intake.messages}, lambda: str(self.row), 60)

    @property
    def row(self) -> Any:
        return self.hub.status()["backends"]["bus"]


@contextmanager
def bench(rabbitmq: RabbitMQ, directory: Path) -> Iterator[Bench]:
    with (
        running(connect=[rabbitmq.url], queues=BOUND) as (_, intake),
        RunningHub(directory, TEXT.format(url=rabbitmq.url)) as hub,
    ):
        wait_until(lambda: hub.status()["backends"]["bus"]["not_ready"] is None, 30, "the connection")
        yield Bench(hub, intake)


def test_one_that_the_broker_refuses_is_given_up_and_the_others_are_published(
    rabbitmq: RabbitMQ, tmp_path: Path
) -> None:
    """A reply-to that only a client may use which waits for the answer: RabbitMQ closes the channel (406)."""
    with bench(rabbitmq, tmp_path) as run:
        run.good()
        with pytest.raises(HubError, match="the broker refuses it"):
            run.publish("poison", **{"reply-to": "amq.rabbitmq.reply-to"})
        run.good()
        run.all_good()
        wait_until(lambda: run.row["outbox_failed"] == 1, 60, lambda: str(run.row))
        assert run.row["outbox_waiting"] == 0
        run.hub.logs("(406)")


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"expiration": "soon"}, "the header 'expiration' is a property of AMQP"),
        ({f"{number:x}": "" for number in range(15_000)}, "its headers need a frame of"),
    ],
    ids=["expiration", "headers"],
)
def test_one_that_could_never_be_written_ends_no_connection(
    rabbitmq: RabbitMQ, tmp_path: Path, headers: dict[str, Any], text: str
) -> None:
    with bench(rabbitmq, tmp_path) as run:
        run.good()
        with pytest.raises(HubError, match=text):
            run.publish("poison", **headers)
        run.good()
        run.all_good()
        assert run.hub.log.count("connected to amqp:") == 1
        assert run.row["outbox_waiting"] == 0


def test_one_of_a_topic_that_is_forbidden_waits_and_the_others_are_published(
    rabbitmq: RabbitMQ, tmp_path: Path
) -> None:
    with bench(rabbitmq, tmp_path) as run:
        rabbitmq.control("set_topic_permissions", "guest", "amq.topic", r"^(?!poison\.forbidden)", ".*")
        try:
            run.good()
            run.publish("forbidden", topic="poison.forbidden")
            run.good()
            run.all_good()
            run.hub.logs("a message can't be published to the exchange 'amq.topic' for its topic: ACCESS_REFUSED")
            run.good()
            run.all_good()
            assert run.row["outbox_waiting"] == 1
            assert run.row["outbox_failed"] == 0
        finally:
            rabbitmq.control("clear_topic_permissions", "guest", "amq.topic")
        turn_until(lambda: b'"forbidden"' in [one.body for one in run.intake.messages], lambda: str(run.row), 60)
