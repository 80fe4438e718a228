"""A RabbitMQ whose disk is full to the last byte ends itself; started again, it has what it confirmed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.small_disk import fill, small_disk
from tests.support import wait_until
from tests.system.amqp_hub import AmqpHub
from tests.system.rabbitmq import RabbitMQ

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

NO_ALARM = "disk_free_limit.absolute = 1KB\n"
"""By default RabbitMQ takes no messages any more once less than 50 MB are free."""


def test_a_disk_that_is_full_ends_the_broker_and_loses_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "rabbitmq"
    directory.mkdir()
    with small_disk(directory / "mnesia", 40) as disk:
        broker = RabbitMQ(directory, further=NO_ALARM)
        rig = AmqpHub(tmp_path / "hub", broker, "settled", takes=0.002, backend='heart_beat = "5s"')
        broker.__enter__()
        try:
            with rig.hub as hub:
                rig.connected()
                rig.declare()
                rig.publish(range(300))
                fill(disk / "ballast")
                wait_until(lambda: not broker.is_running, 60, "the broker's end")
                rig.red("")
                (disk / "ballast").unlink()
                broker.kill()  # its port mapper, too
                broker.__enter__()
                rig.connected()
                rig.publish(range(300, 400))
                found = rig.all_noted(400)
                answers = rig.answered(400)
                print(f"worked again: {found.total() - 400}; answers that came again: {answers.total() - 400}")
                assert found.total() - 400 <= 50
                assert hub.stop() == 0
        finally:
            broker.kill()
