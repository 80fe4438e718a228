"""A consumer that needs longer than RabbitMQ's ``consumer_timeout``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.system.amqp_hub import AmqpHub
from tests.system.rabbitmq import RabbitMQ

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

TIMEOUT, TICK = 2, 1
"""Seconds; by default they are 1800 and 60."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    times = f"{{consumer_timeout, {TIMEOUT * 1000}}}, {{channel_tick_interval, {TICK * 1000}}}"
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq"), advanced=times) as made:
        yield made


def test_a_consumer_that_needs_longer_than_the_brokers_time_is_named_and_its_messages_come_again(
    broker: RabbitMQ, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Here one that holds a message for twice the time, once; then another configuration, which holds none."""
    directory = tmp_path_factory.mktemp("hubs")
    slow = AmqpHub(directory / "slow", broker, "settled", takes=2.0 * (TIMEOUT + TICK))
    with slow.hub as hub:
        slow.connected()
        slow.declare()
        slow.publish(range(3))
        slow.red("consumer_timeout")
        hub.logs("nothing comes from the queue 'work': PRECONDITION_FAILED - delivery acknowledgement on channel")
        hub.logs("a message was held for longer than the broker's consumer_timeout, see docs/amqp.rst")
        slow.connected()
        assert slow.row()["disconnects"] == 0  # the channel alone
        slow.all_noted(1)
        hub.process.kill()
    stored = AmqpHub(directory / "stored", broker, "stored", takes=2.0 * (TIMEOUT + TICK))
    with stored.hub as hub:
        stored.connected()
        found = stored.all_noted(3)
        assert set(found) == {0, 1, 2}
        assert "consumer_timeout" not in stored.hub.log
        assert stored.row()["unacknowledged"] == 0
