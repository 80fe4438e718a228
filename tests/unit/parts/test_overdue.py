"""Messages in a declared queue that have a time at which they are dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.headers import EXPIRES
from hub.message import Message
from hub.parts import queues
from hub.parts.declared_queue import OwnedQueue
from hub.queue.work import Load
from tests.unit.parts.halls import Hall, ids


def put(hall: Hall, queue: OwnedQueue, *times: Any, delays: list[float] | None = None) -> None:
    """Messages 0, 1, ... that expire so many seconds from now; ``None``: never."""
    now = hall.reactor.seconds()
    headers: list[dict[str, Any]] = [{} if time is None else {EXPIRES: now + time} for time in times]
    batch = [Message(str(at), "q", b"{}", one, now, "stomp") for at, one in enumerate(headers)]
    queue.put(batch, delays=delays or [])


def expired(hall: Hall, name: str = "q") -> int:
    hall.commit()
    return hall.row(name)["dropped_by"]["expired"]


@pytest.mark.parametrize("durable", [True, False])
def test_what_is_over_is_not_delivered_and_counted(hall: Hall, durable: bool) -> None:
    queue = hall.declare(durable=durable)
    put(hall, queue, None, 10.0, 30.0, 10, None)
    hall.reactor.advance(10.0)
    reader = hall.reader(queue)
    taken = reader.take(9)
    assert (ids(taken), expired(hall)) == (["0", "2", "4"], 2)
    reader.finish(taken[::-1])
    hall.commit()
    assert (hall.row()["backlog"], hall.row()["finished"], hall.row()["dropped"]) == (0, 3, 2)


def test_if_all_are_over_the_next_ones_are_delivered(hall: Hall) -> None:
    queue = hall.declare()
    put(hall, queue, *[1.0] * 120, None)
    hall.reactor.advance(1.0)
    assert ids(hall.reader(queue).take(50)) == ["120"]
    assert expired(hall) == 120


def test_they_are_dropped_where_nobody_reads_once_they_are_the_oldest(hall: Hall) -> None:
    queue = hall.declare()
    put(hall, queue, 1.0, 5.0, 1.0, None)
    hall.reactor.advance(2.0)
    hall.queues.sample(hall.reactor.seconds())
    assert (queue.backlog, expired(hall)) == (3, 1)
    hall.reactor.advance(3.0)
    hall.queues.sample(hall.reactor.seconds())
    assert (queue.backlog, expired(hall)) == (1, 3)


def test_a_backlog_on_the_disk_is_dropped_too_in_steps(open_hall: Callable[..., Hall]) -> None:
    first = open_hall()
    queue = first.declare()
    for _ in range(10):
        put(first, queue, *[5.0] * 1000)
    first.commit()
    first.kill()
    second = open_hall(backends=())
    for _ in range(40):
        second.reactor.advance(1.0)
        second.queues.sample(second.reactor.seconds())
        second.commit()
    assert (second.row()["backlog"], expired(second)) == (0, 10_000)


def test_of_many_queues_some_read_at_a_time_and_each_has_its_turn(
    open_hall: Callable[..., Hall], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "READS_AT_ONCE", 2)
    first, names = open_hall(), [f"q{at}" for at in range(5)]
    for name in names:
        put(first, first.declare(name), 5.0, None)
    first.commit()
    first.kill()
    second, read = open_hall(backends=()), list[str]()
    monkeypatch.setattr(Load, "run", counted(Load.run, read))
    second.reactor.advance(10.0)
    each = []
    for _ in range(4):
        second.queues.sample(second.reactor.seconds())
        each.append(len(read))
    assert (each, sorted(read)) == ([2, 4, 5, 5], names)
    second.queues.sample(second.reactor.seconds())
    assert [expired(second, name) for name in names] == [1] * 5


def counted(run: Callable[[Any], None], read: list[str]) -> Callable[[Any], None]:
    def wrapped(load: Any) -> None:
        read.append(load._queue.name)
        run(load)

    return wrapped


def test_a_delayed_message_that_is_over_by_then_is_dropped(hall: Hall) -> None:
    queue = hall.declare()
    put(hall, queue, 10.0, 60.0, delays=[30.0, 30.0])
    hall.reactor.advance(30.0)
    assert ids(hall.reader(queue).take(9)) == ["1"]
    assert expired(hall) == 1


def test_one_that_was_given_back_or_is_retried_is_dropped_too(hall: Hall) -> None:
    queue = hall.declare()
    put(hall, queue, 10.0, 10.0, None)
    reader = hall.reader(queue)
    first, second, third = reader.take(9)
    reader.give_back([first, third], delivered=True)
    reader.retry(second, 5.0)
    hall.reactor.advance(10.0)
    assert ids(reader.take(9)) == ["2"]
    assert reader.take(9) == []
    assert (expired(hall), hall.row()["backlog"]) == (2, 1)


def test_one_that_is_read_from_the_disk_when_it_is_due_is_dropped_too(hall: Hall) -> None:
    queue = hall.declare()
    for at in range(60):
        header = {EXPIRES: 1010.0 if at % 2 else 9e9}
        queue.put([Message(str(at), "q", bytes(200_000), header, 1000.0)], delays=[30.0])
    hall.commit()
    hall.reactor.advance(30.0)
    reader, found = hall.reader(queue), list[str]()
    while taken := reader.take(9) or reader.take(9):
        found += ids(taken)
        reader.finish(taken)
    assert (sorted(found, key=int), expired(hall)) == ([str(at) for at in range(0, 60, 2)], 30)


@pytest.mark.parametrize("value", ["0", True, ""])
def test_what_is_no_time_means_nothing(hall: Hall, value: object) -> None:
    queue = hall.declare()
    queue.put([Message("0", "q", b"{}", {EXPIRES: value}, 1000.0)])  # type: ignore[dict-item]
    assert ids(hall.reader(queue).take(9)) == ["0"]


def test_a_bound_message_from_a_bus_may_have_a_time_and_max_age_holds_beside(hall: Hall) -> None:
    queue = hall.declare(topics=["a"], limits={"max_age": 20.0})
    hall.enqueuer.receive([Message("1", "a", b"{}", {EXPIRES: 1005.0}, 1000.0)], None)
    hall.enqueuer.receive([Message(str(at), "a", b"{}", {}, 1000.0) for at in (2, 3)], None)
    hall.reactor.advance(10.0)
    hall.enqueuer.receive(
        [Message("4", "a", b"{}", {EXPIRES: 1015.0}, 1010.0), Message("5", "a", b"{}", {}, 1010.0)], None
    )
    hall.reactor.advance(11.0)
    assert ids(hall.reader(queue).take(9)) == ["5"]
    assert expired(hall) == 4
