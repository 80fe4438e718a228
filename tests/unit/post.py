"""An outbox between a store and the bus in memory, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from hub.backends.memory import Memory
from hub.message import Message
from hub.outbox import Outbox
from hub.settings import Settings
from hub.store import OutboxPortion
from hub.store.memory import MemoryStore
from hub.unsent import Unsent
from tests.unit.backends.support import Recorder, hub_context
from tests.unit.doubles import FakeReactor, RecordingLog, message, most


class StoreOfTwo(MemoryStore):
    """Keeps outgoing messages of two backends, and counts how often it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.kept_out: dict[int, tuple[str, Message]] = {}
        self.reads = 0

    def outbox(self, backend: str, after: int, count: int) -> OutboxPortion:
        self.reads += 1
        numbers = sorted(number for number in self.kept_out if number > after)
        rows = [(n, self.kept_out[n][1]) for n in numbers[:count] if self.kept_out[n][0] == backend]
        return OutboxPortion(rows, max(numbers[:count], default=after), len(numbers) > count)

    def sent(self, number: int) -> None:
        del self.kept_out[number]


class Post:
    """An outbox with its bus and its store."""

    def __init__(self, uniform: Callable[[float, float], float] = most) -> None:
        self.reactor, self.log, self.store = FakeReactor(), RecordingLog(), StoreOfTwo()
        self.bus = Memory(hub_context(Settings()))
        self.bus.start(Recorder())
        self.unsent = Unsent("bus", self.store)
        self.outbox = Outbox(self.unsent, self.send, self.reactor, self.reactor.seconds, uniform, self.log)
        self.given: list[str] = []

    def send(self, message: Message) -> Deferred[None] | None:
        self.given.append(message.id)
        return self.bus.publish(message)

    def commit(self, *numbers: int, topic: str = "a.b") -> None:
        for number in numbers:
            self.store.kept_out[number] = ("bus", message(number, topic))
            self.outbox.arrive(number, message(number, topic))
        self.outbox.pump()

    @property
    def sent(self) -> list[str]:
        return [one.id for one in self.bus.published]

    def opened(self) -> Post:
        self.outbox.open(self.bus)
        return self


def ids(numbers: range) -> list[str]:
    return [str(number) for number in numbers]
