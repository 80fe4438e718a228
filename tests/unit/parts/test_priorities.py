"""Messages of a declared queue with priorities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from hub.message import Message
from hub.parts.declared_queue import OwnedQueue
from hub.parts.declared_reader import DeclaredReader
from hub.store.durable import DurableStore
from hub.store.fsck.check import Check
from hub.store.fsck.rewrite import rewrite
from tests.unit.parts.halls import Hall, ids


def put(hall: Hall, queue: OwnedQueue, *pairs: tuple[object, int], size: int = 2) -> Sequence[int]:
    """:returns: indexes of those that did not fit."""
    now = hall.reactor.seconds()
    batch = [Message(str(one), queue.name, bytes(size), {}, now, "stomp") for one, _ in pairs]
    queue.put(batch, (), hall.receipts.append, (), [priority for _, priority in pairs])
    return hall.receipts[-1].full


def all_of(reader: DeclaredReader, limit: int = 100) -> list[str]:
    found: list[str] = []
    while taken := reader.take(limit) or reader.take(limit):
        found += ids(taken)
        reader.finish(taken)
    return found


def sound(hall: Hall) -> None:
    assert isinstance(hall.store, DurableStore)
    with hall.store.tables.reading() as transaction:
        assert list(Check(hall.store.tables, transaction).problems()) == []


@pytest.mark.parametrize("durable", [True, False])
def test_the_highest_come_first_and_in_order(hall: Hall, durable: bool) -> None:
    queue = hall.declare(durable=durable)
    put(hall, queue, ("a", 4), ("b", 9), ("c", 0), ("d", 4), ("e", 9))
    hall.put(queue, "f")
    put(hall, queue, ("g", 5))
    reader = hall.reader(queue)
    assert ids(reader.take(3)) == ["b", "e", "g"]
    put(hall, queue, ("h", 9))
    assert ids(reader.take(9)) == ["h", "a", "d", "f", "c"]
    assert (hall.row()["in_flight"], hall.row()["backlog"]) == (8, 8)


@pytest.mark.parametrize("durable", [True, False])
def test_what_comes_back_has_its_place_again(hall: Hall, durable: bool) -> None:
    queue = hall.declare(durable=durable)
    put(hall, queue, *((number, 4 if number % 2 else 8) for number in range(8)))
    reader = hall.reader(queue)
    taken = reader.take(6)
    assert ids(taken) == ["0", "2", "4", "6", "1", "3"]
    reader.give_back(taken[::-2], delivered=True)
    reader.give_back(taken[::2], delivered=False)
    assert [(one.current.id, one.attempts) for one in reader.take(9)] == [
        *(("0", 0), ("2", 1), ("4", 0), ("6", 1)),
        *(("1", 0), ("3", 1), ("5", 0), ("7", 0)),
    ]


def test_a_retry_that_is_due_comes_before_lower_ones_and_after_higher_ones(hall: Hall) -> None:
    queue = hall.declare()
    put(hall, queue, ("high", 9), ("middle", 6), ("low", 1))
    reader = hall.reader(queue)
    taken = reader.take(2)
    for one in taken:
        reader.retry(one, 5.0)
    hall.reactor.advance(5.0)
    put(hall, queue, ("new", 7))
    assert all_of(reader, 1) == ["high", "new", "middle", "low"]


def test_a_high_one_is_found_behind_any_backlog_also_after_a_kill(open_hall: Callable[..., Hall]) -> None:
    hall = open_hall()
    queue = hall.declare()
    for start in range(0, 20_000, 500):
        put(hall, queue, *((n, 9 if n % 1000 == 7 else 2 if n % 1000 == 8 else 4) for n in range(start, start + 500)))
    hall.commit()
    highest, lowest = ([str(n) for n in range(20_000) if n % 1000 == rest] for rest in (7, 8))
    others = [str(n) for n in range(20_000) if n % 1000 not in (7, 8)]
    reader = hall.reader(queue)
    assert ids(reader.take(20)) == highest
    hall.kill()
    hall = open_hall()
    queue = hall.declare()
    reader = hall.reader(queue)
    put(hall, queue, ("last", 4), ("first", 9))
    assert all_of(reader) == [*highest, "first", *others, "last", *lowest]
    hall.commit()
    sound(hall)
    assert (hall.row()["backlog"], hall.row()["dropped"]) == (0, 0)


def test_many_high_ones_are_read_again_in_their_order_and_take_little_memory(open_hall: Callable[..., Hall]) -> None:
    hall = open_hall()
    queue = hall.declare()
    for start in range(0, 300, 10):
        put(hall, queue, *((n, 9 - n % 2) for n in range(start, start + 10)), size=50_000)
    hall.commit()
    assert hall.queues.entry("q").opened.inspect.waiting_bytes() < 3 << 20
    assert hall.queues.entry("q").opened.backlog.total_size == 300 * 50_000
    wanted = [*(str(n) for n in range(0, 300, 2)), *(str(n) for n in range(1, 300, 2))]
    assert all_of(hall.reader(queue)) == wanted
    assert hall.queues.entry("q").opened.backlog.total_size == 0


def test_a_delayed_one_has_its_priority_when_it_is_due(open_hall: Callable[..., Hall]) -> None:
    hall = open_hall()
    queue = hall.declare()
    batch = [Message(name, "q", b"", {}, 1000.0) for name in ("low", "later and high", "later", "high")]
    queue.put(batch, ["t"], hall.receipts.append, [0.0, 9.0, 9.0, 0.0], [0, 9, 4, 9])
    hall.commit()
    assert hall.confirmed() == ["t"]
    hall.kill()
    hall = open_hall()
    hall.reactor.advance(9.0)
    assert all_of(hall.reader(hall.declare()), 1) == ["high", "later and high", "later", "low"]


def test_each_token_is_told_once_and_the_receipt_names_what_did_not_fit(hall: Hall) -> None:
    queue = hall.declare(limits={"max_backlog": 3})
    batch = [Message(name, "q", b"", {}, 1000.0) for name in "abcde"]
    queue.put(batch, list("ABCDE"), hall.receipts.append, (), [4, 9, 4, 9, 4])
    assert hall.receipts[-1].full == [1, 3], "those of one priority are put together"
    hall.commit()
    assert hall.confirmed() == list("ABCDE")
    assert all_of(hall.reader(queue)) == ["a", "c", "e"]


def test_one_that_drops_the_oldest_drops_the_lowest_first(hall: Hall) -> None:
    queue = hall.declare(durable=False, limits={"max_backlog": 4, "overflow": "drop_oldest"})
    put(hall, queue, ("a", 9), ("b", 0), ("c", 4), ("d", 9))
    put(hall, queue, ("e", 4))
    put(hall, queue, ("f", 9))
    reader = hall.reader(queue)
    assert all_of(reader) == ["a", "d", "f", "e"]
    put(hall, queue, *((n, 9) for n in range(6)))
    assert all_of(reader) == ["2", "3", "4", "5"]
    assert hall.row()["dropped_by"]["oldest"] == 4


def test_one_that_drops_the_oldest_of_an_unread_level(open_hall: Callable[..., Hall]) -> None:
    hall = open_hall()
    queue = hall.declare(limits={"max_bytes": 2_000_000, "overflow": "drop_oldest"})
    for start in range(0, 60, 5):
        put(hall, queue, *((n, 9) for n in range(start, start + 5)), size=50_000)
    hall.commit()
    assert all_of(hall.reader(queue)) == [str(n) for n in range(20, 60)]


def test_a_purge_drops_all_priorities(open_hall: Callable[..., Hall]) -> None:
    hall = open_hall()
    queue = hall.declare()
    for start in range(0, 100, 10):
        put(hall, queue, *((n, n % 10) for n in range(start, start + 10)), size=50_000)
    assert hall.queues.entry("q").opened.purge() == 100
    hall.commit()
    sound(hall)
    reader = hall.reader(queue)
    assert all_of(reader) == []
    put(hall, queue, ("after", 9))
    assert all_of(reader) == ["after"]


def test_all_of_them_are_seen_and_the_oldest_has_the_age(open_hall: Callable[..., Hall]) -> None:
    hall = open_hall()
    queue = hall.declare()
    for number in range(60):
        put(hall, queue, (number, number % 10), size=200_000)
        hall.reactor.advance(1.0)
    hall.commit()
    opened = hall.queues.entry("q").opened
    assert [one.id for _, _, one, _ in opened.inspect.peek(40)] == [str(number) for number in range(40)]
    assert opened.stats().oldest_received_at == 1000.0


def test_one_that_is_too_old_or_overdue_is_dropped_from_any_level(hall: Hall) -> None:
    queue = hall.declare(limits={"max_age": 10.0})
    overdue = Message("overdue", "q", b"", {"hubbub.expires": 1005.0}, 1000.0)
    queue.put([overdue], (), None, (), [7])
    put(hall, queue, ("old", 9), ("old too", 0))
    hall.reactor.advance(6.0)
    hall.queues.sample(hall.reactor.seconds())
    hall.commit()
    assert (hall.row()["dropped_by"]["expired"], hall.row()["backlog"]) == (1, 2)
    hall.reactor.advance(6.0)
    put(hall, queue, ("new", 9))
    hall.queues.sample(hall.reactor.seconds())
    hall.commit()
    assert (hall.row()["dropped_by"]["expired"], hall.row()["backlog"]) == (3, 1)
    assert all_of(hall.reader(queue)) == ["new"]


def test_a_store_that_is_written_anew_keeps_them(open_hall: Callable[..., Hall], tmp_path: Path) -> None:
    hall = open_hall()
    put(hall, hall.declare(), ("a", 4), ("b", 9), ("c", 0))
    hall.commit()
    hall.end()
    assert rewrite(tmp_path, 2000.0, False).left == []
    hall = open_hall()
    sound(hall)
    assert all_of(hall.reader(hall.declare())) == ["b", "a", "c"]


def test_a_row_that_names_no_level_is_a_problem_of_the_store(hall: Hall) -> None:
    put(hall, hall.declare(), ("a", 9))
    hall.commit()
    assert isinstance(hall.store, DurableStore)
    tables = hall.store.tables
    with tables.writing() as transaction:
        (key,) = (bytes(key) for key, _ in transaction.cursor(tables.levels).iternext())
        transaction.put(key, b"\0\0\0\1\x0a", db=tables.levels)
        transaction.put(key[:-1] + b"\x63", b"\0\0\0\1\x09", db=tables.levels)
    with tables.reading() as transaction:
        assert [problem.kind for problem in Check(tables, transaction).problems()] == ["row", "row"]
    with tables.writing() as transaction:
        transaction.drop(tables.levels, delete=False)


def test_a_queue_that_is_deleted_leaves_no_row(hall: Hall) -> None:
    queue = hall.declare()
    put(hall, queue, ("a", 9))
    hall.commit()
    queue.delete()
    hall.commit()
    assert isinstance(hall.store, DurableStore)
    assert hall.store.tables.count("levels") == 0
    sound(hall)


@pytest.mark.parametrize("priorities", [[1], [1, 10], [-1, 1]])
def test_what_is_no_priority_is_a_mistake_of_the_caller(hall: Hall, priorities: list[int]) -> None:
    queue = hall.declare()
    with pytest.raises(ValueError, match="expected 2 priorities"):
        queue.put([Message("1", "q", b""), Message("2", "q", b"")], (), None, (), priorities)
    assert queue.backlog == 0
