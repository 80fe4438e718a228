"""Who waits at a queue, and what wakes them."""

from __future__ import annotations

import threading
import time

from hub.queue.policy import QueuePolicy
from tests.support import wait_until
from tests.unit.desk import Desk, taker
from tests.unit.doubles import message, messages


def test_a_retry_of_the_far_future_does_not_break_those_who_wait() -> None:
    desk = Desk()
    desk.offer(messages(1))
    desk.queue.retry(desk.take(), delay=1e300, failed=False)
    thread, found = taker(desk)
    wait_until(lambda: desk.queue.waiters.sleeping == 1)
    desk.offer([message(7)])
    thread.join(10)
    assert [one.id for one in found] == ["7"]


def test_an_offer_wakes_one_who_waits() -> None:
    desk = Desk()
    thread, found = taker(desk)
    wait_until(lambda: desk.queue.waiters.sleeping == 1)
    desk.offer(messages(1))
    thread.join(10)
    assert [one.id for one in found] == ["0"]


def test_closing_wakes_all_who_wait_and_opening_undoes_it() -> None:
    desk = Desk()
    takers = [taker(desk) for _ in range(3)]
    wait_until(lambda: desk.queue.waiters.sleeping == 3)
    desk.queue.close()
    for thread, found in takers:
        thread.join(10)
        assert [one.id for one in found] == ["-1"]
    desk.offer(messages(1))
    assert desk.queue.take(1, timeout=0) is None
    desk.queue.open()
    assert desk.take_ids() == ["0"]


def test_a_retry_wakes_one_who_waits_when_it_is_due() -> None:
    desk = Desk(clock=time.monotonic)
    desk.offer(messages(1))
    taken = desk.take()
    thread, found = taker(desk)
    wait_until(lambda: desk.queue.waiters.sleeping == 1)
    desk.queue.retry(taken, delay=0.01, failed=True)
    thread.join(10)
    assert [one.id for one in found] == ["0"]


def test_a_lane_that_becomes_free_wakes_one_who_waits() -> None:
    desk = Desk(QueuePolicy(key_of=lambda _: None))
    desk.offer(messages(2))
    first = desk.take(1)
    thread, found = taker(desk)
    wait_until(lambda: desk.queue.waiters.sleeping == 1)
    desk.queue.finish(first, 1)
    thread.join(10)
    assert [one.id for one in found] == ["1"]


def test_lingering_waits_for_a_fuller_batch_and_ends_when_it_is_full() -> None:
    desk = Desk(clock=time.monotonic)
    desk.offer(messages(1))
    found: list[int] = []

    def run() -> None:
        taken = desk.queue.take(2, linger=60.0)
        found.append(len(taken.messages) if taken else 0)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    wait_until(lambda: desk.queue.waiters.sleeping == 1)
    desk.offer(messages(1))
    thread.join(10)
    assert found == [2]


def test_lingering_ends_after_its_time() -> None:
    desk = Desk(clock=time.monotonic)
    desk.offer(messages(1))
    taken = desk.queue.take(2, timeout=None, linger=0.02)
    assert taken is not None
    assert len(taken.messages) == 1
