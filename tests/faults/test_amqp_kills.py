"""kill -9 of a RabbitMQ under load, and of hubs that share one of its queues."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from hub.errors import Unavailable
from hub.message import Message
from tests.faults.shared_queue import PREFETCH, TAKES, check, kill_nodes
from tests.faults.size import SEED, sized
from tests.support import wait_until
from tests.system.amqp_hub import AmqpHub
from tests.system.rabbitmq import RabbitMQ
from tests.unit.backends.support import turn_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(240, 1800))]

BROKER_KILLS = sized(1, 10)
NODE_KILLS = sized(3, 50)
MOST = 3000
"""Messages before a kill: each is answered through the hub's outbox."""
WINDOW = 100
"""Published messages of a hub that may be unconfirmed at once, by default."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    made = RabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    made.__enter__()
    yield made
    if made.is_running:
        made.__exit__()


class Source:
    """Another program, which publishes numbers until they are confirmed. :ivar again: how many were sent again.

    :ivar most: the number below which all are.
    """

    def __init__(self, client: Any) -> None:
        self.confirmed: set[int] = set()
        self.again = self.most = 0
        self._client = client
        self._next = 0
        self._waiting: set[int] = set()
        self._failed: list[int] = []

    def more(self) -> None:
        """Publish some."""
        while len(self._waiting) < WINDOW and self._client.status()["state"] == "connected":
            if not self._failed and self._next >= self.most:
                return
            number = self._failed.pop() if self._failed else self._next
            self._next = max(self._next, number + 1)
            self._waiting.add(number)
            sent = self._client.publish(Message(f"id-{number}", "work", b"%d" % number))
            sent.addBoth(self._ended, number)

    def more_until(self, instant: float) -> bool:
        """Publish some. :returns: whether it is that late, in monotonic seconds."""
        self.more()
        return time.monotonic() > instant

    def _ended(self, result: object, number: int) -> None:
        self._waiting.discard(number)
        if result is None:
            self.confirmed.add(number)
        else:
            self.again += 1
            self._failed.append(number)

    def rest(self) -> bool:
        """Publish what failed. :returns: whether all is confirmed."""
        if self._failed:
            with suppress(Unavailable):
                self.more()
        return not self._failed and not self._waiting


def test_a_broker_that_is_killed_under_load_has_what_it_confirmed(broker: RabbitMQ, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    rig = AmqpHub(tmp_path / "hub", broker, "settled", backend='heart_beat = "5s"')
    with rig.hub as hub, rig.client(queues={}, publish="", reconnect_interval_max=0.5) as (client, _):
        rig.connected()
        rig.declare()
        wait_until(lambda: broker.has_on_disk("work"), 60, "the queue to be on the broker's disk")
        source = Source(client)
        for _ in range(BROKER_KILLS):
            source.most += MOST
            until, before = time.monotonic() + chance.uniform(0.1, 0.4), len(source.confirmed)
            turn_until(lambda until=until: source.more_until(until), "the load")  # type: ignore[misc]
            assert len(source.confirmed) > before
            broker.kill()
            rig.red("")
            broker.__enter__()
            rig.connected()
        turn_until(source.rest, "the confirmations", 60)
        count = len(source.confirmed)
        found = rig.all_noted(count)
        rig.answered(count)
        print(f"{count} confirmed, {source.again} sent again; worked again: {found.total() - count}")
        assert set(found) == source.confirmed == set(range(count))
        assert found.total() - count <= BROKER_KILLS * PREFETCH + source.again
        assert hub.stop() == 0


def test_hubs_that_share_a_queue_are_killed(broker: RabbitMQ, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    print(f"{NODE_KILLS} kills, seed {SEED}")
    given: dict[str, Any] = {"confirm": "settled", "takes": TAKES, "consumer": "durable = false"}
    nodes = [AmqpHub(tmp_path / f"hub-{number}", broker, **given) for number in range(3)]
    with ExitStack() as stack:
        for node in nodes:
            stack.enter_context(node.hub)
            node.connected()
        nodes[0].declare()
        count = kill_nodes(nodes, nodes[0].publish, NODE_KILLS, chance)
        wait_until(lambda: all(node.row()["unacknowledged"] == 0 for node in nodes), 60, "the acknowledgements")
        answers = nodes[0].answered(count)
        print(f"{answers.total() - count} answers came again")
        assert [node.hub.stop() for node in nodes] == [0, 0, 0]
    check(nodes, count, NODE_KILLS * PREFETCH)
