"""What ZeroMQ holds while nothing is read is bounded by bytes."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from hub.backends.zeromq.memory_limit import PERIOD, MemoryLimit
from tests.support import free_port
from tests.unit.backends.support import Lines, publisher, running, subscribed, turn_until

TOPIC = b"org.test.topic"
MIB = 1 << 20


class Watched:
    """A process whose memory the test sets."""

    def __init__(self, resident: int | None = 100 * MIB) -> None:
        self.clock, self.resident, self.growths = Clock(), resident, [0]
        self.growths.clear()
        self.limit = MemoryLimit(self.clock, 10 * MIB, lambda: self.resident, self.growths.append)


def test_a_growth_beyond_the_limit_is_told_once() -> None:
    watched = Watched()
    watched.limit.begin()
    watched.resident = 110 * MIB
    watched.clock.advance(PERIOD)
    assert watched.growths == []
    watched.resident = 111 * MIB
    watched.clock.pump([PERIOD] * 5)
    assert watched.growths == [11 * MIB]
    watched.limit.begin()
    watched.resident = 125 * MIB
    watched.clock.advance(PERIOD)
    assert watched.growths == [11 * MIB, 14 * MIB]


def test_what_grows_while_messages_are_read_is_not_looked_at() -> None:
    watched = Watched()
    watched.limit.begin()
    watched.limit.end()
    watched.limit.end()
    watched.resident = 200 * MIB
    watched.clock.pump([PERIOD] * 5)
    assert (watched.growths, watched.clock.getDelayedCalls()) == ([], [])


def test_where_nobody_knows_the_memory_there_is_no_limit() -> None:
    watched = Watched(None)
    watched.limit.begin()
    assert watched.clock.getDelayedCalls() == []


@pytest.mark.parametrize("binds", [True, False])
def test_a_publisher_can_not_fill_the_memory_of_a_hub_that_has_no_room(binds: bool) -> None:
    endpoint, lines = f"tcp://127.0.0.1:{free_port()}", Lines()
    where = {"connect" if binds else "bind": [endpoint]}
    with (
        publisher(endpoint, bind=binds, xpub_verboser=True) as bus,
        running(held_memory="16MiB", lines=lines, **where) as (backend, intake),
    ):
        subscribed(bus)
        backend.pause()
        for _ in range(64):
            bus.send_multipart([TOPIC, b" " * MIB])
        turn_until(lambda: backend.status()["endpoints"] == [], "the endpoints to be disconnected", 30)
        assert backend.status()["unread"] > 10
        assert any("endpoints are disconnected" in line for line in lines.texts)
        assert backend.status()["state"] == "paused"
        assert not backend.reconfigure(backend._config)
        backend.resume()
        assert [row["endpoint"] for row in backend.status()["endpoints"]] == [endpoint]
        turn_until(lambda: backend.status()["peers"], "the publisher to be heard again", 30)
        while subscribed(bus) != b"\x01":
            pass
        bus.send_multipart([TOPIC, b'{"msg_id":"good"}'])
        turn_until(lambda: intake.messages, "a message after that")
        assert intake.messages[-1].id == "good"


def test_a_subscription_that_is_too_long_is_cut_off() -> None:
    import zmq

    endpoint = f"tcp://127.0.0.1:{free_port()}"
    with running(publish_bind=[endpoint]) as (backend, _):
        context = zmq.Context()
        listener = context.socket(zmq.SUB)
        listener.connect(endpoint)
        turn_until(lambda: backend.status()["peers"], "the listener")
        listener.subscribe(b"org." * 1025)
        turn_until(lambda: backend.status()["disconnects"], "the listener to be cut off")
        context.destroy(linger=0)
