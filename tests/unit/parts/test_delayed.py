"""Messages that are put into a declared queue now and delivered later."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from hub.message import Message
from hub.parts.declared_reader import DeclaredReader
from hub.store.durable import DurableStore
from hub.store.fsck.check import Check
from tests.unit.parts.halls import Hall, ids


def all_of(reader: DeclaredReader) -> list[str]:
    found: list[str] = []
    while taken := reader.take(100) or reader.take(100):
        found += ids(taken)
        reader.finish(taken)
    return found


@pytest.mark.parametrize("durable", [True, False])
def test_each_comes_when_it_is_due_and_the_reader_is_told(hall: Hall, durable: bool) -> None:
    queue = hall.declare(durable=durable)
    reader = hall.reader(queue)
    assert reader.take(9) == []
    hall.put(queue, 1, 2, 3, 4, delays=[60.0, 0.0, 30.0, -1.0])
    assert ids(reader.take(9)) == ["2", "4"]
    assert reader.take(9) == []
    assert (hall.row()["delayed"], hall.row()["in_flight"]) == (2, 2)
    for number in ("3", "1"):
        ready = hall.ready
        hall.reactor.advance(29.9)
        assert (hall.ready, reader.take(9)) == (ready, [])
        hall.reactor.advance(0.1)
        assert hall.ready == ready + 1
        (taken,) = reader.take(9)
        assert (taken.current.id, taken.attempts) == (number, 0)
        assert reader.take(9) == []
    assert hall.row()["delayed"] == 0


@pytest.mark.parametrize("durable", [True, False])
def test_the_sender_is_told_of_all_at_once(hall: Hall, durable: bool) -> None:
    hall.put(hall.declare(durable=durable), 1, 2, tokens=["a", "b"], delays=[5.0, 0.0])
    assert hall.confirmed() == ([] if durable else ["a", "b"])
    hall.commit()
    assert hall.confirmed() == ["a", "b"]


def test_a_delay_outlives_a_kill_with_the_message(open_hall: Callable[..., Hall]) -> None:
    first = open_hall()
    queue = first.declare()
    queue.put([Message("0", "q", b"")])
    first.put(queue, 1, 2, tokens=["t"], delays=[60.0, 30.0])
    queue.put([Message("3", "q", b"")])
    first.commit()
    assert first.confirmed() == ["t"]
    first.kill()
    second = open_hall()
    reader = second.reader(second.declare())
    assert all_of(reader) == ["0", "3"]
    assert second.row()["delayed"] == 2
    second.reactor.advance(30.0)
    assert all_of(reader) == ["2"]
    second.commit()
    second.kill()
    third = open_hall()
    reader = third.reader(third.declare())
    assert all_of(reader) == []
    third.reactor.advance(60.0)
    assert all_of(reader) == ["1"]
    third.commit()
    assert isinstance(third.store, DurableStore)
    with third.store.tables.reading() as transaction:
        assert list(Check(third.store.tables, transaction).problems()) == []
        assert transaction.stat(third.store.tables.tries)["entries"] == 0


def test_a_message_in_a_commit_of_its_own_has_its_delay(open_hall: Callable[..., Hall]) -> None:
    """The journals are fetched before the batches: the delay must not be in the journal."""
    first = open_hall()
    queue = first.declare()
    first.commit()
    assert isinstance(first.store, DurableStore)
    fetch = first.store.writer.journals["q"]

    def fetch_and_put() -> object:
        journal = fetch()
        first.store.writer.journals["q"] = fetch  # type: ignore[attr-defined]
        first.put(queue, 1, delays=[60.0])
        return journal

    first.store.writer.journals["q"] = fetch_and_put  # type: ignore[assignment]
    first.commit()
    first.kill()
    second = open_hall()
    reader = second.reader(second.declare())
    assert (reader.take(9), second.row()["delayed"]) == ([], 1)
    second.reactor.advance(60.0)
    assert ids(reader.take(9)) == ["1"]


def test_delayed_ones_among_many_that_wait_on_the_disk(open_hall: Callable[..., Hall]) -> None:
    hall = open_hall()
    queue = hall.declare()
    for start in range(0, 20_000, 500):
        hall.put(queue, *range(start, start + 500), delays=[30.0 if n % 100 == 0 else 0.0 for n in range(500)])
    hall.commit()
    reader = hall.reader(queue)
    now = all_of(reader)
    assert now == [str(number) for number in range(20_000) if number % 100]
    hall.reactor.advance(30.0)
    assert sorted(all_of(reader), key=int) == [str(number) for number in range(0, 20_000, 100)]
    hall.commit()
    row = hall.row()
    assert (row["backlog"], row["finished"], row["dropped"]) == (0, 20_000, 0)


def test_those_that_take_much_memory_are_read_again(open_hall: Callable[..., Hall]) -> None:
    hall = open_hall()
    queue = hall.declare()
    for start in range(0, 100, 10):
        batch = [Message(str(n), "q", bytes(100_000), {}, 1000.0) for n in range(start, start + 10)]
        queue.put(batch, delays=[30.0] * 10)
    hall.commit()
    reader = hall.reader(queue)
    assert hall.queues.entry("q").opened.inspect.waiting_bytes() < 5 << 20
    hall.reactor.advance(30.0)
    assert sorted(all_of(reader), key=int) == [str(number) for number in range(100)]


def test_a_full_queue_takes_no_delayed_message_in_any_mode(hall: Hall) -> None:
    for mode in ("drop_newest", "drop_oldest", "block"):
        queue = hall.declare(mode, durable=False, limits={"max_backlog": 2, "overflow": mode})
        assert hall.put(queue, 1, 2, 3, delays=[9.0, 9.0, 9.0]).full == [2]
        assert (hall.row(mode)["backlog"], hall.row(mode)["dropped_by"]["newest"]) == (2, 1)
    assert not hall.flow.held_back


def test_max_age_does_not_end_what_is_delayed_for_longer(hall: Hall) -> None:
    queue = hall.declare(limits={"max_age": 10.0})
    hall.put(queue, 1, 2, delays=[30.0, 0.0])
    for _ in range(30):
        hall.reactor.advance(1.0)
        hall.queues.sample(hall.reactor.seconds())
    assert all_of(hall.reader(queue)) == ["1"]


def test_purging_drops_delayed_messages(open_hall: Callable[..., Hall]) -> None:
    first = open_hall()
    queue = first.declare()
    first.put(queue, 1, 2, delays=[30.0, 0.0])
    assert first.queues.entry("q").opened.purge() == 2
    first.commit()
    first.kill()
    second = open_hall()
    second.reactor.advance(30.0)
    assert all_of(second.reader(second.declare())) == []


def test_an_operator_sees_that_it_is_delayed(hall: Hall) -> None:
    queue = hall.declare()
    hall.put(queue, 1, 2, delays=[30.0, 0.0])
    inspect = hall.queues.entry("q").opened.inspect
    assert [(state, message.id) for _, state, message, _ in inspect.peek(9)] == [("waiting", "2"), ("delayed", "1")]
    state = inspect.state_of(1)
    assert (state.kind, state.due) == ("delayed", 1030.0)
    hall.reactor.advance(30.0)
    assert inspect.state_of(1).kind == "waiting"


@pytest.mark.parametrize("delays", [[1.0], [1.0, math.nan], [1.0, math.inf]])
def test_wrong_delays_are_an_error_and_nothing_is_put(hall: Hall, delays: list[float]) -> None:
    queue = hall.declare()
    with pytest.raises(ValueError, match="delays in seconds"):
        hall.put(queue, 1, 2, delays=delays)
    assert queue.backlog == 0


def test_one_that_is_due_in_years_needs_no_long_timer(hall: Hall) -> None:
    queue = hall.declare()
    reader = hall.reader(queue)
    hall.put(queue, 1, delays=[1e9])
    assert reader.take(9) == []
    assert max(call.time for call in hall.reactor.getDelayedCalls()) <= hall.reactor.seconds() + 3600


def test_where_nobody_waits_nobody_is_told(hall: Hall) -> None:
    assert hall.put(hall.declare(), 1, 2, delays=[0.0, 30.0]).accepted == 2
    hall.commit()
    assert "confirm" not in [what for what, _ in hall.backend().calls]
