"""A RabbitMQ that is cut off: no packet comes through, and nobody is told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.size import FULL
from tests.support import PATIENCE, wait_until
from tests.system.amqp_hub import AmqpHub
from tests.system.network import Network
from tests.system.rabbitmq import RabbitMQ

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

HEART_BEAT = 1
PREFETCH, WINDOW = 50, 100
"""As configured, and as it is by default."""


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network() as made:
        yield made


@pytest.fixture(scope="module")
def broker(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq"), network=network) as made:
        yield made


@pytest.mark.parametrize("confirm", ["stored", "settled"] if FULL else ["settled"])
def test_a_broker_that_is_cut_off_is_noticed_and_nothing_is_lost(
    network: Network, broker: RabbitMQ, tmp_path: Path, confirm: str
) -> None:
    given = f'heart_beat = "{HEART_BEAT}s"\nconnect_timeout = "3s"'
    rig = AmqpHub(tmp_path / "hub", broker, confirm, takes=0.01, backend=given)
    with rig.hub as hub:
        rig.connected()
        rig.declare()
        rig.publish(range(300))
        wait_until(lambda: len(rig.noted()) > 50, 60, "some to be worked")
        network.cut()
        began = time.monotonic()
        try:
            rig.red(f"it sent nothing for {HEART_BEAT + 5} s")
            noticed = time.monotonic() - began
            rig.red("it does not answer")
        finally:
            network.join()
            joined = time.monotonic()
        rig.connected()
        print(f"noticed after {noticed:.1f} s, consumes again {time.monotonic() - joined:.1f} s after the end of it")
        assert noticed <= (2 * (HEART_BEAT + 5) + 1) * PATIENCE
        rig.publish(range(300, 400))
        assert set(rig.all_noted(400)) == set(range(400))
        answers = rig.answered(400)
        again, answered = rig.noted().total() - 400, answers.total() - 400
        print(f"worked again: {again}; answers that came again: {answered}")
        assert again <= PREFETCH
        assert answered <= again + WINDOW
        assert hub.stop() == 0
