"""Events as ZeroMQ tells them, in the orders it was seen to tell them in."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import zmq
from twisted.internet.task import Clock

from hub.backends.zeromq.monitor import EVENTS, Monitor
from hub.backends.zeromq.reconnect import Reconnect
from tests.unit.backends.support import configured

PEER = "tcp://127.0.0.1:9940"
Event = zmq.Event


class Bench:
    """A monitor with what it reports to."""

    def __init__(self) -> None:
        self.context: Any = zmq.Context()
        self.socket = self.context.socket(zmq.SUB)
        self.lines: list[str] = []
        self.levels: list[int] = []
        self.clock = Clock()
        self.monitor = Monitor(self.socket, self.notice, lambda: None)
        self.monitor.watch(PEER, connects=True)
        self.revived: list[str] = []

    def notice(self, kind: str, level: int, text: str) -> None:
        self.levels.append(level)
        self.lines.append(text)

    def tell(self, *events: tuple[zmq.Event, int], endpoint: str = PEER) -> None:
        for event, value in events:
            self.monitor.note(int(event), value, endpoint)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.monitor.close()
    bench.context.destroy(linger=0)


def test_a_connection_comes_and_goes(bench: Bench) -> None:
    bench.tell((Event.CONNECTED, 16), (Event.HANDSHAKE_SUCCEEDED, 0))
    assert bench.monitor.peers(PEER) == bench.monitor.all_peers == 1
    bench.tell((Event.DISCONNECTED, 16))
    assert bench.monitor.peers(PEER) == 0
    assert bench.monitor.disconnects == 1
    assert bench.lines == [f"connected: {PEER!r}", f"disconnected: {PEER!r}"]
    assert bench.levels == [logging.INFO, logging.WARNING]


def test_a_peer_that_came_to_us_and_leaves_is_no_cause_to_worry(bench: Bench) -> None:
    bench.tell(
        (Event.ACCEPTED, 20), (Event.HANDSHAKE_SUCCEEDED, 0), (Event.DISCONNECTED, 20), endpoint="tcp://[::]:7000"
    )
    assert (bench.levels, bench.monitor.disconnects) == ([logging.INFO, logging.INFO], 1)


@pytest.mark.parametrize(
    "failure", [Event.HANDSHAKE_FAILED_AUTH, Event.HANDSHAKE_FAILED_PROTOCOL, Event.HANDSHAKE_FAILED_NO_DETAIL]
)
def test_a_failed_handshake_is_no_disconnection(bench: Bench, failure: zmq.Event) -> None:
    bench.tell((Event.CONNECTED, 16), (failure, 400), (Event.DISCONNECTED, 16))
    assert (bench.monitor.handshake_failures, bench.monitor.disconnects, bench.monitor.all_peers) == (1, 0, 0)
    assert bench.lines[0].startswith("handshake ")


def test_bound_endpoints_are_told_apart_by_their_port(bench: Bench) -> None:
    bench.tell((Event.ACCEPTED, 20), endpoint="tcp://[::]:7000")
    bench.tell((Event.HANDSHAKE_SUCCEEDED, 0), endpoint="tcp://[::ffff:127.0.0.1]:7000")
    assert bench.monitor.peers("tcp://[::]:7000") == 1
    assert bench.monitor.peers("tcp://[::]:7001") == 0


def test_a_silent_connection_beside_a_good_one_leaves_the_good_one(bench: Bench) -> None:
    bench.tell((Event.ACCEPTED, 20), (Event.HANDSHAKE_SUCCEEDED, 0), (Event.ACCEPTED, 21), (Event.DISCONNECTED, 21))
    assert bench.monitor.all_peers == 1
    assert bench.monitor.disconnects == 0


@pytest.mark.parametrize("refused", [20, 21])
def test_of_two_that_open_together_the_one_that_is_refused_is_not_missed(bench: Bench, refused: int) -> None:
    bench.tell((Event.ACCEPTED, 20), (Event.ACCEPTED, 21), (Event.HANDSHAKE_SUCCEEDED, 0))
    assert bench.monitor.all_peers == 1
    bench.tell((Event.HANDSHAKE_FAILED_AUTH, 400), (Event.DISCONNECTED, refused))
    assert (bench.monitor.all_peers, bench.monitor.disconnects) == (1, 0)
    bench.tell((Event.DISCONNECTED, 41 - refused))
    assert (bench.monitor.all_peers, bench.monitor.disconnects) == (0, 1)


def test_who_leaves_beside_a_connection_that_says_nothing_is_counted(bench: Bench) -> None:
    bench.tell((Event.ACCEPTED, 20), (Event.ACCEPTED, 21), (Event.HANDSHAKE_SUCCEEDED, 0), (Event.DISCONNECTED, 21))
    assert (bench.monitor.all_peers, bench.monitor.disconnects) == (0, 1)
    bench.tell((Event.HANDSHAKE_FAILED_NO_DETAIL, 0), (Event.DISCONNECTED, 20))
    assert (bench.monitor.all_peers, bench.monitor.disconnects) == (0, 1)


def test_too_few_descriptors_is_an_error_line(bench: Bench) -> None:
    bench.tell((Event.ACCEPT_FAILED, 24))
    assert bench.monitor.accept_failures == 1
    assert "Too many open files" in bench.lines[0]


def test_that_connections_can_not_be_accepted_holds_until_the_next_look(bench: Bench) -> None:
    assert not bench.monitor.accepts_none
    bench.tell((Event.ACCEPT_FAILED, 24), (Event.HANDSHAKE_SUCCEEDED, 0))
    assert bench.monitor.accepts_none
    bench.monitor.drain()
    assert not bench.monitor.accepts_none


def test_what_is_told_of_a_forgotten_endpoint_is_of_no_interest_until_it_comes_back(bench: Bench) -> None:
    bench.tell((Event.CONNECTED, 16), (Event.HANDSHAKE_SUCCEEDED, 0))
    bench.monitor.forget(PEER)
    assert (bench.monitor.all_peers, bench.monitor.disconnects) == (0, 0)
    bench.tell((Event.CONNECTED, 17), (Event.HANDSHAKE_SUCCEEDED, 0), (Event.DISCONNECTED, 17))
    assert (bench.monitor.all_peers, bench.monitor.disconnects, bench.monitor.lost) == (0, 0, set())
    bench.monitor.watch(PEER, connects=True)
    bench.tell((Event.CONNECTED, 18), (Event.HANDSHAKE_SUCCEEDED, 0))
    assert bench.monitor.peers(PEER) == 1


def test_a_forgotten_bound_endpoint_is_known_by_its_port(bench: Bench) -> None:
    came_to = "tcp://10.0.0.1:7000"
    bench.monitor.watch("tcp://0.0.0.0:7000", connects=False)
    bench.tell((Event.ACCEPTED, 20), (Event.HANDSHAKE_SUCCEEDED, 0), endpoint=came_to)
    bench.monitor.forget("tcp://0.0.0.0:7000")
    bench.tell((Event.ACCEPTED, 21), (Event.HANDSHAKE_SUCCEEDED, 0), endpoint=came_to)
    assert bench.monitor.all_peers == 0
    bench.monitor.watch("tcp://0.0.0.0:7000", connects=False)
    bench.tell((Event.ACCEPTED, 22), (Event.HANDSHAKE_SUCCEEDED, 0), endpoint=came_to)
    assert bench.monitor.peers("tcp://0.0.0.0:7000") == 1


def next_timer(bench: Bench) -> float:
    """Seconds until the only timer is due."""
    timers: list[Any] = list(bench.clock.getDelayedCalls())
    assert len(timers) == 1
    return float(timers[0].getTime() - bench.clock.seconds())


def revival(bench: Bench) -> Reconnect:
    config = configured(connect=[PEER], reconnect_interval_max="2s")
    return Reconnect(bench.clock, bench.monitor, config, bench.revived.append)


def test_zeromq_that_connects_again_in_time_is_left_alone(bench: Bench) -> None:
    revived = revival(bench)
    bench.tell((Event.CONNECTED, 16), (Event.DISCONNECTED, 16))
    revived.look([PEER])
    bench.tell((Event.CONNECTED, 17))
    bench.clock.advance(10)
    assert bench.revived == []


def test_a_lost_connection_is_made_anew_once_for_nobody_tells_whether_zeromq_tries(bench: Bench) -> None:
    revived = revival(bench)
    bench.tell((Event.CONNECTED, 16), (Event.HANDSHAKE_SUCCEEDED, 0), (Event.DISCONNECTED, 16))
    for _ in range(5):
        revived.look([PEER])
        bench.clock.advance(10)
    assert bench.revived == [PEER]


def test_attempts_that_fail_are_not_told_of(bench: Bench) -> None:
    assert not EVENTS & (Event.CONNECT_RETRIED | Event.CONNECT_DELAYED | Event.CLOSED)


def test_zeromq_that_gave_up_is_made_to_connect_ever_more_slowly(bench: Bench) -> None:
    revived, waits = revival(bench), []
    for _ in range(4):
        bench.tell((Event.CONNECTED, 16), (Event.HANDSHAKE_FAILED_AUTH, 400), (Event.DISCONNECTED, 16))
        revived.look([PEER])
        waits.append(next_timer(bench))
        bench.clock.advance(waits[-1])
    assert waits == [0.5, 1, 2, 2]
    assert bench.revived == 4 * [PEER]
    bench.tell((Event.CONNECTED, 16), (Event.HANDSHAKE_SUCCEEDED, 0))
    revived.look([PEER])
    bench.tell((Event.DISCONNECTED, 16))
    revived.look([PEER])
    assert next_timer(bench) == 0.5
    revived.stop()
    assert bench.clock.getDelayedCalls() == []
