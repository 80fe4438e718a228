"""What holds from the moment that it is ordered, though the commit of it is still to come, or fails."""

from __future__ import annotations

from hub.queue.policy import QueuePolicy
from hub.store import Outgoing
from tests.unit.doubles import letter_of, message, messages, outbox_of
from tests.unit.store.bench import Bench
from tests.unit.store.rig import FullDisk


def test_what_was_sent_is_not_to_be_sent_again_before_its_deletion_is_committed(bench: Bench) -> None:
    bench.deliver(messages(1))
    bench.queues["q"].finish(bench.take(1), 1, [Outgoing("bus", message(7)), Outgoing("bus", message(8))])
    bench.step()
    (first, _), second = outbox_of(bench.store)
    bench.store.sent(first)
    assert outbox_of(bench.store) == [second]
    bench.step()
    assert outbox_of(bench.store) == [second]


def test_the_outbox_of_one_backend_is_read_in_portions_past_what_is_for_others(bench: Bench) -> None:
    bench.deliver(messages(1))
    out = [Outgoing("bus" if number % 3 == 0 else "wire", message(number)) for number in range(9)]
    bench.queues["q"].finish(bench.take(1), 1, out)
    bench.step()
    found: list[str] = []
    after, more, looks = 0, True, 0
    while more:
        rows, after, more = bench.store.outbox("bus", after, 4)
        found += [one.id for _, one in rows]
        looks += 1
    assert (found, looks) == (["0", "3", "6"], 3)
    assert bench.store.outbox("bus", after, 4) == ([], after, False)


def test_a_dead_letter_is_taken_once_on_a_full_disk_too(bench: Bench) -> None:
    bench.deliver(messages(2))
    for _ in range(2):
        taken = bench.take(1)
        bench.queues["q"].bury(taken, False, letter_of(taken))
    bench.step()
    first, second = (one.number for one in bench.store.dead_letters("q"))
    with FullDisk(bench.store.tables, times=4):
        bench.store.remove_letters("q", [first, first, 99])
        for _ in range(2):
            assert not bench.store.writer.step()
            assert bench.store.letter("q", first) is None
            assert [one.number for one in bench.store.dead_letters("q")] == [second]
            assert bench.store.kept_dead_letters("q") == 1
    bench.step()
    assert bench.store.kept_dead_letters("q") == 1
    bench.crash()
    assert [one.number for one in bench.store.dead_letters("q")] == [second]


def test_who_waits_for_the_disk_is_told_once_it_has_everything(bench: Bench) -> None:
    told: list[str] = []
    with FullDisk(bench.store.tables, times=4):
        bench.deliver(messages(1))
        bench.store.when_stored(lambda: told.append("one"))
        bench.step()
        assert told == []
        bench.store.when_stored(lambda: told.append("two"))
    bench.step()
    assert told == ["one", "two"]
    bench.step()
    assert told == ["one", "two"]


def test_counters_are_shown_as_no_kill_can_take_them_back(bench: Bench) -> None:
    bench.deliver(messages(4))
    bench.finish(1)
    bench.step()
    bench.finish(2)
    bench.deliver(messages(3))
    shown = bench.store.shown("q")
    assert shown is not None
    assert (shown.received, shown.finished) == (4, 1)
    bench.step()
    shown = bench.store.shown("q")
    assert shown is not None
    assert (shown.received, shown.finished, shown.backlog) == (7, 3, 4)
    bench.finish(1)
    bench.crash()
    assert bench.received() == (7, 3, 4)
    assert bench.store.shown("q") == shown


def test_what_a_full_queue_drops_is_shown_though_nothing_is_stored(bench: Bench) -> None:
    queue = bench.queues["q"]
    queue.adopt(QueuePolicy(max_backlog=1))
    bench.deliver(messages(1))
    bench.step()
    bench.store.writer._timer._requested.clear()
    bench.deliver(messages(5))
    assert bench.store.writer._timer._requested.is_set()
    bench.step()
    shown = bench.store.shown("q")
    assert shown is not None
    assert (shown.received, shown.dropped_newest, shown.backlog) == (6, 5, 1)
    queue.adopt(QueuePolicy(max_backlog=1, overflow="drop_oldest"))
    start, kept, size = queue.admit(messages(2), 4)
    bench.store.writer._timer._requested.clear()
    queue.offer(start, kept, size)
    assert bench.store.writer._timer._requested.is_set()
