"""A whole hub on a real RabbitMQ: it is killed, and so is the broker; nothing that was confirmed is lost."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.support import wait_until
from tests.system.amqp_hub import AmqpHub
from tests.system.rabbitmq import RabbitMQ

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.mark.parametrize("confirm", ["stored", "settled"])
def test_nothing_is_lost_when_the_hub_is_killed_and_when_the_broker_is(tmp_path: Path, confirm: str) -> None:
    with RabbitMQ(tmp_path / "rabbitmq") as broker:
        rig = AmqpHub(tmp_path / "hub", broker, confirm)
        with rig.hub:
            rig.connected()
            rig.declare()
            rig.publish(range(1000))
            wait_until(lambda: len(rig.noted()) > 100, 60, "some to be worked")
            rig.hub.stop(signal.SIGKILL)
        with rig.hub:
            rig.all_noted(1000)
            rig.connected()
            broker.control("stop_app")
            wait_until(lambda: rig.row()["not_ready"], 60, "the hub not to be ready")
            broker.control("start_app")
            rig.connected()
            rig.publish(range(1000, 1200))
            assert set(rig.all_noted(1200)) == set(range(1200))
            rig.answered(1200)
            assert rig.row()["malformed"] == {}
