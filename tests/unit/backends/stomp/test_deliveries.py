"""Deliveries: what a client has in hand, and what its acks settle."""

from __future__ import annotations

from collections.abc import Sequence

from hub.backends.stomp.deliveries import Deliveries
from hub.declarations import Taken
from hub.message import Message
from hub.queue.delivery import Delivery


class Bench:
    def __init__(self, count: int) -> None:
        self.finished: list[int] = []
        self.reports = 0
        self.deliveries = Deliveries(self.finish)
        self.taken = [Delivery((Message(str(n), "a", b"xx"),), (n,)) for n in range(count)]
        self.first = self.deliveries.add(self.taken)

    def finish(self, taken: Sequence[Taken]) -> None:
        self.reports += 1
        self.finished += [one.position for one in taken]


def test_serials_begin_at_one_and_go_on() -> None:
    bench = Bench(3)
    assert bench.first == 1
    assert bench.deliveries.pass_by(2) == 4
    assert bench.deliveries.add(bench.taken[:1]) == 6
    assert (len(bench.deliveries), bench.deliveries.size) == (4, 8)


def test_an_ack_settles_one_and_a_cumulative_one_all_before_it() -> None:
    bench = Bench(9)
    assert bench.deliveries.ack(3, cumulative=False) == 1
    assert bench.deliveries.ack(5, cumulative=True) == 4
    assert bench.finished == []
    assert bench.deliveries.report()
    assert bench.finished == [2, 0, 1, 3, 4]
    assert bench.reports == 1
    assert (len(bench.deliveries), bench.deliveries.size) == (4, 8)


def test_what_is_not_in_hand_is_not_settled_again() -> None:
    bench = Bench(2)
    assert bench.deliveries.ack(1, cumulative=False) == 1
    assert bench.deliveries.ack(1, cumulative=False) == 0
    assert bench.deliveries.ack(1, cumulative=True) == 0
    assert bench.deliveries.ack(7, cumulative=False) == 0
    assert bench.deliveries.report()
    assert not bench.deliveries.report()
    assert bench.finished == [0]


def test_all_that_is_left_comes_back_by_serial_after_the_acks() -> None:
    bench = Bench(3)
    bench.deliveries.ack(2, cumulative=False)
    assert {serial: one.position for serial, one in bench.deliveries.take_all().items()} == {1: 0, 3: 2}
    assert bench.finished == [1]
    assert (len(bench.deliveries), bench.deliveries.size) == (0, 0)
