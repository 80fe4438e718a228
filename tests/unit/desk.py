"""A queue with all that it needs, for the tests of it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from twisted.internet.task import Clock

from hub.message import Message
from hub.queue.delivery import Delivery
from hub.queue.policy import QueuePolicy
from tests.unit.doubles import make_queue, message, offer


class Desk:
    """A queue, its clock, and what it said to the reactor."""

    def __init__(self, policy: QueuePolicy | None = None, clock: Callable[[], float] | None = None) -> None:
        self.clock = Clock()
        self.room_made = 0
        self.queue = make_queue(clock or self.clock.seconds, policy, on_room=self.make_room)

    def make_room(self) -> None:
        assert not self.queue.lock.locked()
        self.room_made += 1

    def offer(self, batch: list[Message]) -> bool:
        return offer(self.queue, batch)

    def take(self, limit: int = 99) -> Delivery:
        taken = self.queue.take(limit, timeout=0)
        assert taken is not None
        return taken

    def take_ids(self, limit: int = 99) -> list[str]:
        return [one.id for one in self.take(limit).messages]

    def finish(self, limit: int = 99) -> list[str]:
        taken = self.take(limit)
        self.queue.finish(taken, len(taken.messages))
        return [one.id for one in taken.messages]


def taker(desk: Desk) -> tuple[threading.Thread, list[Message]]:
    found: list[Message] = []

    def run() -> None:
        taken = desk.queue.take(9)
        found.extend(taken.messages if taken else [message(-1)])

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, found
