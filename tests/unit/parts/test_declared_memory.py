"""A deleted queue in memory lets go of its messages by reference counting: cyclic garbage is collected seldom."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import pytest

from hub.message import Message
from hub.parts.declared_queue import OwnedQueue
from tests.unit.doubles import Headers
from tests.unit.parts.halls import Hall

pytestmark = pytest.mark.usefixtures("no_collection")


def put(queue: OwnedQueue, count: int, delay: float = 0.0) -> list[weakref.ref[Any]]:
    """Put messages. Returns what tells whether they are still in memory."""
    headers = [Headers() for _ in range(count)]
    batch = [Message("i", "t", b"{}", one, 1000.0, "stomp") for one in headers]
    queue.put(batch, delays=[delay] * count if delay else ())
    return [weakref.ref(one) for one in headers]


def test_messages_go_though_somebody_knows_the_queue(open_hall: Callable[..., Hall]) -> None:
    hall = open_hall()
    queue = hall.declare(durable=False)
    reader = hall.reader(queue)
    refs = put(queue, 5) + put(queue, 3, delay=60.0)
    reader.give_back(reader.take(2), delivered=False)
    assert all(ref() is not None for ref in refs)
    queue.delete()
    assert [ref() for ref in refs] == [None] * 8
    assert hall.queues.rows() == []
    assert reader.take(9) == []


def test_messages_that_were_tried_go_with_the_queue(open_hall: Callable[..., Hall]) -> None:
    hall = open_hall()
    queue = hall.declare(durable=False, topics=["t"])
    reader = hall.reader(queue)
    refs = put(queue, 3)
    reader.give_back(reader.take(2), delivered=True)
    (last,) = [*reader.take(3)][-1:]
    reader.retry(last, 5.0, "it failed")
    assert queue.entry.queue is not None
    assert queue.entry.queue.inspect.why(last.position) == "it failed"
    refs += [weakref.ref(queue), weakref.ref(queue.entry.queue)]
    hall.queues.delete("q")
    assert hall.deleted == ["q"]
    del queue, reader, last
    assert [ref() for ref in refs] == [None] * 5


def test_a_durable_queue_is_freed_after_the_commit(open_hall: Callable[..., Hall]) -> None:
    hall = open_hall()
    queue = hall.declare()
    refs = [*put(queue, 3), weakref.ref(queue), weakref.ref(queue.entry.queue)]
    queue.delete()
    hall.commit()
    del queue
    hall.commit()
    assert [ref() for ref in refs] == [None] * 5
