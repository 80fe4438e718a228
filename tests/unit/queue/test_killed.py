"""A retry that says that its process was killed counts as a kill of the hub does."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.queue.policy import QueuePolicy, Window
from hub.queue.waiters import NO_WAIT, Wait
from hub.queue.work import LOOK_AGAIN
from tests.unit.desk import Desk
from tests.unit.doubles import message, messages
from tests.unit.store.bench import Bench


def test_it_comes_again_alone_with_its_attempts_and_kills() -> None:
    desk = Desk()
    desk.offer(messages(4))
    taken = desk.take(2)
    desk.queue.retry(taken, 5.0, failed=True, killed=True)
    desk.queue.give_back(taken)
    desk.clock.advance(5.0)
    again = desk.take()
    assert ([one.id for one in again.messages], again.attempts, again.failures, again.kills) == (["0"], 1, 1, 1)
    desk.queue.finish(again, 1)
    assert desk.take_ids() == ["1", "2", "3"]


def test_two_of_them_are_not_in_flight_together() -> None:
    desk = Desk()
    desk.offer(messages(2))
    first, second = desk.take(1), desk.take(1)
    for taken in (first, second):
        desk.queue.retry(taken, 0.0, failed=False, killed=True)
    again = desk.take()
    assert len(again.messages) == 1
    assert desk.queue.take(9, timeout=0) is None
    desk.queue.finish(again, 1)
    assert len(desk.take().messages) == 1


@pytest.mark.parametrize("failed", [True, False])
def test_after_max_kills_it_is_a_dead_letter(failed: bool, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk(QueuePolicy(max_kills=3))
    desk.offer([message(7)])
    for _ in range(2):
        desk.queue.retry(desk.take(), 0.0, failed, killed=True)
    desk.queue.retry(desk.take(), 0.0, failed, killed=False)
    desk.queue.retry(desk.take(), 0.0, failed, killed=True)
    assert desk.queue.take(9, timeout=0) is None
    counters = desk.queue.stats().counters
    assert (counters.dead, counters.backlog, counters.retried, counters.rejected) == (1, 0, 3, 0)
    assert counters.failed == 4 * failed
    (letter,) = desk.queue.stored.dead_letters()
    assert (letter.message.id, letter.attempts) == ("7", 4)
    assert letter.reason == "killed its process: 3 times it was in flight when that died"
    assert "message '7' of a.b is a dead letter: killed its process" in caplog.text


def test_it_makes_room_then() -> None:
    desk = Desk(QueuePolicy(max_backlog=1, overflow="block", max_kills=1))
    assert desk.offer(messages(2))
    desk.finish(1)
    assert desk.room_made == 0
    desk.queue.retry(desk.take(), 0.0, False, killed=True)
    assert desk.room_made == 1


def test_kills_outlive_a_restart_and_add_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path, QueuePolicy(None, None, window=Window(4, 200), max_kills=2))
    queue = bench.queue()
    bench.deliver(messages(2))
    queue.retry(bench.take(1), 0.0, failed=True, killed=True)
    bench.step()
    bench.restart()
    again = next(one for one in (bench.take(1), bench.take(1)) if one.kills)
    assert (again.messages[0].id, again.attempts, again.kills) == ("0", 1, 1)
    bench.queues["q"].retry(again, 0.0, failed=True, killed=True)
    bench.step()
    assert [letter.message.id for letter in bench.queues["q"].stored.dead_letters()] == ["0"]


def test_while_another_is_in_flight_the_queue_asks_again_soon() -> None:
    desk = Desk()
    desk.offer(messages(2))
    hands = [desk.take(1), desk.take(1)]
    for taken in hands:
        desk.queue.retry(taken, 0.0, failed=False, killed=True)
    desk.take()
    assert desk.queue.take(9, timeout=0) is None
    now = desk.clock.seconds()
    assert desk.queue.seconds_to_wait(now, NO_WAIT) == pytest.approx(LOOK_AGAIN)
    assert desk.queue.seconds_to_wait(now, Wait(now, LOOK_AGAIN / 2, 0.0)) == pytest.approx(LOOK_AGAIN / 2)
    desk.queue.pause()
    assert desk.queue.seconds_to_wait(now, NO_WAIT) is None
