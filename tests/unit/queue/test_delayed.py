"""What the store keeps of delayed messages."""

from __future__ import annotations

from hub.queue.delayed import tries_of
from hub.store import Try
from tests.unit.doubles import make_queue


def test_it_keeps_when_each_is_due_and_how_long_that_was() -> None:
    queue = make_queue(lambda: 100.0)
    now = queue.wall()
    assert tries_of(queue, 7, [2.0, 30.0]) == {7: Try(0, 0, now + 2.0, 2.0), 8: Try(0, 0, now + 30.0, 30.0)}
