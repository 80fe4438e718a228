"""A queue after a restart, with something that waits for a retry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hub.message import Message
from hub.queue.queue import Queue
from tests.unit.doubles import message
from tests.unit.store.bench import SMALL, Bench

BEGUN = 1000
"""When the clock begins."""


def topic(one: Message) -> str:
    return one.topic


def arrive(bench: Bench, count: int = 1) -> None:
    now = int(bench.clock.seconds())
    bench.deliver([message(now) for _ in range(count)])


def restarted(directory: Path, lanes: bool, count: int = 1) -> tuple[Bench, Queue]:
    """The first of ``count`` messages waits for a retry in two hours; a thousand seconds have passed."""
    bench = Bench(directory, replace(SMALL, key_of=topic if lanes else None))
    queue = bench.queue()
    arrive(bench, count)
    queue.retry(bench.take(1), 7200.0, failed=True)
    bench.clock.advance(1000)
    bench.restart()
    return bench, bench.queues["q"]


def test_its_age_is_told_though_others_come_and_go(tmp_path: Path) -> None:
    bench, queue = restarted(tmp_path, lanes=False)
    for _ in range(3):
        arrive(bench)
        assert queue.stats().oldest_received_at == BEGUN
        bench.finish()
        assert queue.stats().oldest_received_at == BEGUN
        bench.clock.advance(1000)


@pytest.mark.parametrize("lanes", [True, False])
@pytest.mark.parametrize("read", [True, False])
def test_a_purge_spares_it(tmp_path: Path, lanes: bool, read: bool) -> None:
    bench, queue = restarted(tmp_path, lanes, count=9)
    if read:
        taken = queue.take(1, timeout=0)
        if taken is not None:
            queue.give_back(taken)
    assert queue.purge() == 8
    stats = queue.stats()
    assert (stats.counters.backlog, stats.delayed, stats.oldest_received_at) == (1, 1, BEGUN)
    arrive(bench)
    bench.clock.advance(7200.0)
    again = bench.take(1)
    assert (list(again.positions), again.attempts) == ([0], 1)
    queue.finish(again, 1)
    assert len(bench.drain()) == 1
    stats = queue.stats()
    assert (stats.counters.backlog, stats.delayed, stats.oldest_received_at) == (0, 0, None)


def test_nothing_of_its_lane_passes_it_then(tmp_path: Path) -> None:
    bench, queue = restarted(tmp_path, lanes=True, count=9)
    queue.purge()
    arrive(bench)
    bench.deliver([message(1, "other")])
    assert bench.drain() == ["1"]
    bench.clock.advance(7200.0)
    assert bench.drain() == ["1000", "2000"]


def test_it_waits_behind_what_came_before_it_and_until_it_is_due(tmp_path: Path) -> None:
    """Though it is sorted while others of its lane are before it."""
    bench = Bench(tmp_path, SMALL)
    queue = bench.queue()
    arrive(bench, 3)
    hands = [bench.take(1) for _ in range(3)]
    queue.retry(hands[1], 7200.0, failed=True)
    bench.policy = replace(SMALL, key_of=topic)
    bench.restart()
    assert len(bench.drain()) == 1
    assert bench.queues["q"].stats().delayed == 1
    bench.clock.advance(7200.0)
    assert len(bench.drain()) == 2


def test_without_lanes_later_it_is_taken_alone_and_the_others_are_not(tmp_path: Path) -> None:
    bench = Bench(tmp_path, replace(SMALL, key_of=topic, window=replace(SMALL.window, count=100, size=1000)))
    queue = bench.queue()
    bench.deliver([message(number, str(number)) for number in range(20)])
    hands = [bench.take(1) for _ in range(20)]
    queue.retry(hands[9], 7200.0, failed=True)
    bench.restart()
    queue = bench.queues["q"]
    queue.adopt(replace(queue.policy, key_of=None))
    taken = [bench.take() for _ in range(3)]
    assert [(len(one.messages), one.attempts) for one in taken] == [(9, 0), (1, 1), (10, 0)]


def test_one_that_can_not_be_read_any_more_is_lost_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench, queue = restarted(tmp_path, lanes=True, count=3)
    queue.purge()
    monkeypatch.setattr(bench.store, "read", lambda *_: [])
    assert queue.take(1, timeout=0) is None
    stats = queue.stats()
    assert (stats.counters.dropped_damaged, stats.counters.backlog, stats.delayed) == (1, 0, 0)


@pytest.mark.parametrize("readable", [True, False])
def test_once_it_was_read_back_the_queue_goes_on_reading(
    tmp_path: Path, readable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or all that comes after a purge would wait for ever."""
    bench, queue = restarted(tmp_path, lanes=True, count=9)
    queue.purge()
    if not readable:
        monkeypatch.setattr(bench.store, "read", lambda *_: [])
    assert queue.take(1, timeout=0) is None
    monkeypatch.undo()
    bench.deliver([message(number, "other") for number in range(20)])
    bench.step()
    assert queue.backlog.ready.behind
    assert bench.drain() == [str(number) for number in range(20)]


def test_one_that_killed_its_process_is_suspected_after_the_restart_too(tmp_path: Path) -> None:
    bench = Bench(tmp_path, replace(SMALL, key_of=topic, window=replace(SMALL.window, count=100, size=1000)))
    queue = bench.queue()
    bench.deliver([message(number, str(number)) for number in range(3)])
    hands = [bench.take(1) for _ in range(3)]
    queue.retry(hands[1], 0.0, failed=False, killed=True)
    bench.restart()
    queue = bench.queues["q"]
    queue.adopt(replace(queue.policy, key_of=None))
    taken = [bench.take() for _ in range(3)]
    assert [(list(one.positions), one.attempts, one.kills) for one in taken] == [([0], 0, 0), ([1], 1, 1), ([2], 0, 0)]


def test_of_a_key_the_messages_that_can_not_be_read_are_lost_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, replace(SMALL, key_of=topic))
    queue = bench.queue()
    for number in range(20):
        bench.deliver([message(number, body=b"x" * 90)])
    queue.retry(bench.take(1), 10.0, failed=True)
    while (delivery := queue.take(1, timeout=0)) is not None:
        queue.finish(delivery, 1)
    bench.step()
    unloaded = queue.backlog.keys.unloaded
    assert unloaded > 2
    bench.clock.advance(20.0)
    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "read", lambda *_: [])
        while (delivery := queue.take(1, timeout=0)) is not None:
            queue.finish(delivery, 1)
    counters = queue.stats().counters
    assert (counters.dropped_damaged, counters.backlog) == (unloaded, 0)
    assert queue.take_journal().settled[-1][1] == 20


def test_those_of_two_keys_are_counted_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path, replace(SMALL, key_of=topic))
    queue = bench.queue()
    for number in range(20):
        bench.deliver([message(number, "ab"[number % 2], body=b"x" * 90)])
    for _ in range(2):
        queue.retry(bench.take(1), 10.0, failed=True)
    while queue.take(1, timeout=0) is not None:
        pass  # reads on, behind the two
    bench.step()
    unloaded = queue.backlog.keys.unloaded
    assert unloaded > 4
    bench.clock.advance(20.0)
    with monkeypatch.context() as patch:
        patch.setattr(bench.store, "read", lambda *_: [])
        while (delivery := queue.take(1, timeout=0)) is not None:
            queue.finish(delivery, 1)
    counters = queue.stats().counters
    assert (counters.dropped_damaged, counters.backlog) == (unloaded, 0)
