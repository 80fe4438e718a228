"""The durable store as a queue and a restart see it; all histories at random are in test_model.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.queue.delivery import Delivery
from hub.queue.policy import Window
from hub.store import Outgoing, Run
from tests.unit.doubles import letter_of, message, messages, outbox_of
from tests.unit.store.bench import SMALL, Bench


def spans(runs: list[Run] | Iterator[Run] | object) -> list[tuple[int, int]]:
    assert isinstance(runs, list)
    return [(run.start, run.start + run.count) for run in runs]


# -- what a restart leaves


def test_what_was_committed_is_there_after_a_crash(bench: Bench) -> None:
    batch = [message(n, body=bytes([n]) * n, header=str(n)) for n in range(6)]
    bench.deliver(batch)
    bench.step()
    bench.crash()
    assert list(bench.take().messages) == batch


def test_what_was_not_committed_is_not(bench: Bench) -> None:
    bench.deliver(messages(3))
    bench.crash()
    assert bench.received() == (0, 0, 0)
    assert bench.drain() == []


def test_a_stop_commits_all(bench: Bench) -> None:
    bench.deliver(messages(3))
    bench.finish(1)
    bench.restart()
    assert bench.received() == (3, 1, 2)
    assert bench.drain() == ["1", "2"]


def test_finished_out_of_order_and_a_crash_gives_only_the_others_again(bench: Bench) -> None:
    bench.deliver(messages(4))
    taken = [bench.take(1) for _ in range(4)]
    bench.queues["q"].finish(taken[1], 1)
    bench.queues["q"].finish(taken[3], 1)
    bench.step()
    bench.crash()
    assert bench.drain() == ["0", "2"]


def test_counters_go_on_after_a_stop(bench: Bench) -> None:
    bench.deliver(messages(3))
    bench.queues["q"].adopt(replace(SMALL, max_backlog=3, overflow="drop_newest"))
    bench.deliver(messages(2))
    before = bench.queues["q"].stats().counters
    bench.restart()
    assert bench.queues["q"].stats().counters == before
    assert before.dropped_newest == 2


def test_bytes_that_wait_are_known_after_a_stop(bench: Bench) -> None:
    """Or ``max_bytes`` would not hold for a backlog from before."""
    policy = replace(SMALL, max_bytes=100, overflow="drop_newest")
    bench.queue(policy=policy)
    bench.deliver([message(n, body=b"x" * 30) for n in range(3)])
    bench.store.close()
    bench.queues.clear()
    bench.open()
    bench.queue(policy=policy)
    bench.deliver([message(9, body=b"x" * 30)])
    assert bench.queues["q"].stats().counters.dropped_newest == 1


def test_attempts_and_delays_outlive_a_crash(bench: Bench) -> None:
    bench.deliver(messages(2))
    taken = bench.take(1)
    bench.queues["q"].retry(taken, 60.0, failed=True)
    bench.step()
    bench.crash()
    assert bench.finish() == ["1"]
    assert bench.queues["q"].take(1, timeout=0) is None
    bench.clock.advance(59)
    assert bench.queues["q"].take(1, timeout=0) is None
    bench.clock.advance(1)
    again = bench.take(1)
    assert (again.messages[0].id, again.attempts, again.failures) == ("0", 1, 1)


def test_no_clock_makes_a_retry_wait_longer_than_it_was_told_to(bench: Bench) -> None:
    bench.deliver(messages(1))
    bench.queues["q"].retry(bench.take(1), 60.0, failed=True)
    bench.store.close()
    wall = bench.clock.seconds() - 1_000_000  # the clock was set back while the hub was away
    bench.store = bench.store.__class__(bench.directory, wall=lambda: wall)
    queue = type(bench.queues["q"])("q", SMALL, bench.store, bench.clock.seconds, lambda: wall)
    bench.clock.advance(60)
    assert queue.take(1, timeout=0) is not None


def test_dead_letters_outlive_a_crash(bench: Bench) -> None:
    bench.deliver(messages(1))
    taken = bench.take(1)
    bench.queues["q"].bury(taken, True, letter_of(taken, "because"))
    bench.step()
    bench.crash()
    assert [(one.message.id, one.reason, one.number) for one in bench.store.dead_letters("q")] == [("0", "because", 1)]
    assert bench.received() == (1, 1, 0)


def test_what_was_to_be_sent_out_is_known_after_a_crash_until_it_is_sent(bench: Bench) -> None:
    bench.deliver(messages(1))
    taken = bench.take(1)
    out = [Outgoing("bus", message(7, topic="x.y")), Outgoing("wire", message(8))]
    bench.queues["q"].finish(taken, 1, out)
    bench.step()
    bench.crash()
    left = outbox_of(bench.store, "bus", "wire")
    assert [one for _, one in left] == [one.message for one in out]
    assert [one for _, one in outbox_of(bench.store, "wire")] == [out[1].message]
    assert bench.store.outbox_counts() == ({"bus": 1, "wire": 1}, left[1][0])
    bench.store.sent(left[0][0])
    bench.step()
    bench.crash()
    assert outbox_of(bench.store, "bus", "wire") == [left[1]]
    assert bench.store.outbox_counts() == ({"wire": 1}, left[1][0])


def test_what_was_sent_while_a_message_that_failed_is_not_sent(bench: Bench) -> None:
    bench.deliver(messages(1))
    bench.queues["q"].retry(bench.take(1), 1.0, failed=True)
    bench.step()
    assert outbox_of(bench.store) == []


def test_the_oldest_is_known_after_a_restart(bench: Bench) -> None:
    bench.deliver([message(n) for n in range(5, 15)])
    bench.finish(2)
    bench.restart()
    assert bench.queues["q"].stats().oldest_received_at == 7.0


# -- reading back


def test_reading_crosses_from_the_disk_to_what_is_on_its_way(bench: Bench) -> None:
    bench.deliver(messages(2))
    bench.step()
    bench.deliver(messages(3))
    assert spans(bench.store.read("q", 0, 99, 999)) == [(0, 2), (2, 5)]
    assert spans(bench.store.read("q", 3, 99, 999)) == [(3, 5)]
    assert spans(bench.store.read("q", 1, 99, 999)) == [(1, 2), (2, 5)]
    assert spans(bench.store.read("q", 5, 99, 999)) == []


@pytest.mark.parametrize("committed", [True, False])
def test_reading_ends_when_there_is_enough(bench: Bench, committed: bool) -> None:
    for _ in range(3):
        bench.deliver([message(n, body=b"12345") for n in range(2)])
    if committed:
        bench.step()
    assert spans(bench.store.read("q", 0, 2, 999)) == [(0, 2)]
    assert spans(bench.store.read("q", 0, 3, 999)) == [(0, 2), (2, 4)]
    assert spans(bench.store.read("q", 0, 99, 10)) == [(0, 2)]
    assert spans(bench.store.read("q", 0, 99, 1)) == [(0, 2)]


def test_a_queue_reads_its_own_share_of_a_page(bench: Bench) -> None:
    one, two = bench.queue("one"), bench.queue("two")
    bench.enqueuer.deliver(messages(5), [(one, [0, 2, 4]), (two, [1, 2])], 10, None)
    bench.step()
    assert [m.id for run in bench.store.read("one", 0, 9, 99) for m in run.messages] == ["0", "2", "4"]
    assert [m.id for run in bench.store.read("two", 1, 9, 99) for m in run.messages] == ["2"]


def test_each_message_is_on_the_disk_once(bench: Bench) -> None:
    for name in ("one", "two", "three"):
        bench.queue(name)
    bench.deliver(messages(5))
    bench.step()
    assert (bench.count("pages"), bench.count("index")) == (1, 4)


# -- a backlog that does not fit into memory


def test_a_backlog_is_read_in_order(bench: Bench) -> None:
    for first in range(0, 40, 4):
        bench.deliver([message(n) for n in range(first, first + 4)])
    assert bench.drain() == [str(n) for n in range(40)]
    bench.step()
    assert bench.count("pages") == 0


def test_retries_that_wait_do_not_keep_the_backlog_waiting(bench: Bench) -> None:
    """They may fill most of the window."""
    bench.deliver([message(n, body=b"x" * 70) for n in range(9)])
    for _ in range(2):
        bench.queues["q"].retry(bench.take(1), 300.0, failed=True)
    assert bench.drain() == [str(n) for n in range(2, 9)]


def test_a_lane_that_waits_does_not_fill_the_memory(bench: Bench) -> None:
    """Its messages are read ahead to find work for others; not without end."""
    policy = replace(SMALL, window=Window(1000, 500), key_of=lambda one: one.topic)
    queue = bench.queue(policy=policy)
    for first in range(0, 100, 2):
        bench.deliver([message(n, body=b"x" * 90) for n in range(first, first + 2)])
    bench.take(1)
    while queue.take(9, timeout=0) is not None:
        pass
    assert queue.backlog.size < 1000


def test_retries_beyond_the_window_are_read_again_when_they_are_due(bench: Bench) -> None:
    batch = [message(n, body=bytes([n]) * 90) for n in range(9)]
    bench.deliver(batch)
    for _ in range(9):
        bench.queues["q"].retry(bench.take(1), 300.0, failed=True)
    assert (
        sum(len(one.message.body) for one in bench.queues["q"].backlog.schedule._entries.values() if one.message) < 400
    )
    bench.clock.advance(300)
    found: list[Delivery] = []
    while (taken := bench.queues["q"].take(9, timeout=0)) is not None:
        found.append(taken)
    assert [one for taken in found for one in taken.messages] == batch


def test_a_message_is_not_read_before_it_is_offered(bench: Bench) -> None:
    """It is stored first; a thread that fills the window in between must not give it out twice."""
    bench.deliver(messages(3))
    taken = [bench.take(1) for _ in range(3)]
    bench.queues["q"].finish(taken[1], 1)
    bench.queues["q"].finish(taken[2], 1)
    bench.step()
    bench.crash()
    first = bench.take()
    assert list(first.positions) == [0]
    bench.store.hooks["appended"] = lambda: none(bench.queues["q"].take(9, timeout=0))
    bench.deliver(messages(2))
    assert list(bench.take().positions) == [3, 4]
    assert bench.queues["q"].take(9, timeout=0) is None


def none(taken: Delivery | None) -> None:
    assert taken is None


# -- who killed the hub


def test_what_was_in_hand_at_a_crash_comes_alone_and_suspected(bench: Bench) -> None:
    bench.deliver(messages(4))
    bench.step()
    slot = bench.store.slot("q")
    slot.hold(1, 3)
    bench.crash()
    taken = []
    for _ in range(3):
        one = bench.take(limit=1)
        taken.append((list(one.positions), one.attempts, one.kills))
        assert taken[1:] or bench.queues["q"].take(1, timeout=0) is None, "the other one waits"
        bench.queues["q"].finish(one, 1)
    assert taken == [([1], 1, 1), ([2], 1, 1), ([0], 0, 0)]


def test_what_was_finished_is_not_suspected(bench: Bench) -> None:
    bench.deliver(messages(2))
    slot = bench.store.slot("q")
    slot.hold(0, 2)
    taken = bench.take()
    bench.queues["q"].finish(taken, 1)
    bench.step()
    bench.crash()
    assert [(list(one.positions), one.kills) for one in [bench.take()]] == [([1], 1)]


def test_after_a_stop_nobody_is_suspected(bench: Bench) -> None:
    bench.deliver(messages(2))
    slot = bench.store.slot("q")
    slot.hold(0, 2)
    bench.restart()
    assert (bench.take().kills, slot) == (0, slot)


def test_who_killed_the_hub_too_often_is_a_dead_letter_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path, replace(SMALL, max_kills=2))
    bench.queue()
    bench.deliver(messages(2))
    bench.step()
    for _ in range(2):
        slot = bench.store.slot("q")
        slot.hold(0, 1)
        bench.crash()
    assert bench.store.writer._timer._requested.is_set(), "nobody tells the writer"
    bench.step()
    (letter,) = bench.store.dead_letters("q")
    assert (letter.message.id, letter.attempts) == ("0", 2)
    assert "2 times" in letter.reason
    assert bench.drain() == ["1"]
    bench.restart()
    assert bench.received() == (2, 2, 0)
    bench.store.close()


def test_a_queue_is_not_suspected_of_what_another_had(bench: Bench) -> None:
    bench.queue("other")
    bench.deliver(messages(2))
    bench.step()
    slot = bench.store.slot("other")
    slot.hold(0, 1)
    bench.crash()
    assert (bench.take(name="q").kills, bench.take(name="other").kills) == (0, 1)


def test_a_look_shows_what_is_still_on_the_disk_too(bench: Bench) -> None:
    for n in range(12):
        bench.deliver([message(n, body=b"x" * 90)])
    bench.step()
    bench.finish(1)
    queue = bench.queues["q"]
    queue.retry(bench.take(1), 300.0, failed=True)
    shown = [(position, state, one.id) for position, state, one, _ in queue.inspect.peek(20)]
    assert shown == [(1, "retry", "1"), *((n, "waiting", str(n)) for n in range(2, 12))]
    assert bench.drain() == [str(n) for n in range(2, 12)]
