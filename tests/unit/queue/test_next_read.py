"""What is read next: the ready window's messages, then those of the highest level, a range after the other."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock

from hub.enqueuer import Enqueuer
from hub.message import Message
from hub.queue.next_read import LoadLevel, next_read
from hub.queue.policy import QueuePolicy, Window
from hub.queue.queue import Queue
from hub.queue.work import Load
from hub.router import Router
from hub.store.durable import DurableStore
from tests.unit.doubles import RecordingLog


def test_one_piece_at_a_time_until_all_are_in_memory(tmp_path: Path) -> None:
    clock = Clock()
    store = DurableStore(tmp_path, RecordingLog(), threaded=False, sync=False)
    queue = Queue("q", QueuePolicy(None, None, window=Window(16, 1 << 20)), store, clock.seconds, clock.seconds)
    enqueuer = Enqueuer(Router([]), store, clock.seconds, lambda: None)
    for number in range(40):
        enqueuer.put(queue, [Message(str(number), "q", b"x")], None, None, 4 + 3 * (number % 2))
    assert next_read(queue) is None, "the windows are full"
    ready, level = queue.backlog.ready.batches, queue.backlog.levels.of(7)
    assert (len(ready), len(level.batches), len(level.unread)) == (16, 2, 18)
    for _ in range(16):
        ready.take(1)
    for _ in range(2):
        level.batches.take(1)
    first = next_read(queue)
    assert isinstance(first, Load)
    first.run()
    assert [message.id for message in ready.first(9)[1]] == ["32", "34", "36", "38"]
    second = next_read(queue)
    assert isinstance(second, LoadLevel)
    second.run()
    assert [message.id for message in level.batches.first(9)[1]] == ["5", "7"]
    assert (queue.loading, len(level.unread)) == (False, 16)
    store.close()
