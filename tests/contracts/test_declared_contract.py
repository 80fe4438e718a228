"""What a declared queue promises to the backend that declares it, in memory and on the disk, on the memory backend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.backends.memory import Memory
from hub.configuration.schema import BackendSettings, Part
from hub.declarations import DeclaredQueue, QueueReader
from hub.interfaces import BackendContext
from hub.message import Message
from hub.plugins import Plugin
from hub.receipt import Receipt
from hub.settings import Settings
from tests.unit.parts.halls import Hall, ids


class Broker(Memory):
    """The memory bus, with what it was made with."""

    def __init__(self, context: BackendContext) -> None:
        super().__init__(context)
        self.queues = context.queues


class Desk:
    """A hub with a memory backend, and a queue that it has declared."""

    def __init__(self, directory: Path, durable: bool) -> None:
        self.hall, self.durable = Hall(directory, backends=()), durable
        part = Part("bus", Plugin(Broker, "v1"), BackendSettings(type="memory"), Settings())
        bus = self.hall.backends.prepare(part)
        assert isinstance(bus, Broker)
        self.hall.backends.start(part, bus)
        self.bus = bus
        self.queue: DeclaredQueue = self.bus.queues.declare("q", durable=durable, topics=["bound.*"])
        self.reader: QueueReader = self.queue.reader(lambda: None)

    def put(self, *numbers: int, tokens: tuple[int, ...] = ()) -> Receipt:
        answers: list[Receipt] = []
        self.queue.put([Message(str(number), "q", b"{}", {}, 1000.0) for number in numbers], tokens, answers.append)
        return answers[0]


@pytest.fixture(params=[True, False], ids=["durable", "memory"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, request.param)
    yield made
    made.hall.end()


def test_what_is_put_in_comes_out_in_order_and_is_confirmed(desk: Desk) -> None:
    assert desk.put(1, 2, 3, tokens=(7, 8, 9)).accepted == 3
    assert desk.bus.confirmed == ([] if desk.durable else [7, 8, 9])
    desk.hall.commit()
    assert desk.bus.confirmed == [7, 8, 9]
    assert ids(desk.reader.take(2)) == ["1", "2"]
    assert ids(desk.reader.take(2)) == ["3"]


def test_what_matches_a_binding_comes_from_the_bus_and_the_bus_was_asked(desk: Desk) -> None:
    assert desk.bus.patterns == ["bound.*"]
    desk.bus.deliver("bound.x", {}, id="1")
    desk.bus.deliver("other.x", {}, id="2")
    desk.queue.bind("other.#")
    desk.bus.deliver("other.x", {}, id="3")
    desk.queue.unbind("bound.*")
    desk.bus.deliver("bound.x", {}, id="4")
    assert desk.bus.patterns == ["other.#"]
    assert ids(desk.reader.take(9)) == ["1", "3"]


def test_each_is_settled_alone_in_any_order_and_in_any_way(desk: Desk) -> None:
    desk.put(1, 2, 3, 4, 5)
    one, two, three, four, five = desk.reader.take(9)
    desk.reader.finish([five, two])
    desk.reader.bury(three, "no")
    desk.reader.retry(four, 30.0)
    desk.reader.give_back([one], delivered=True)
    (again,) = desk.reader.take(9)
    assert (again.current.id, again.attempts) == ("1", 1)
    assert [letter.message.id for letter in _letters(desk)] == ["3"]
    desk.hall.reactor.advance(30.0)
    (late,) = desk.reader.take(9)
    assert (late.current.id, late.attempts, late.failures) == ("4", 1, 1)
    desk.reader.finish([late, again])
    assert desk.queue.backlog == 0


def test_one_that_waits_again_is_settled_without_a_turn_and_one_in_hand_is_not(desk: Desk) -> None:
    desk.put(1, 2, 3, 4)
    one, two, three, four = desk.reader.take(9)
    desk.reader.give_back([two, one], delivered=True)
    desk.reader.retry(three, 30.0)
    assert [desk.reader.finish_waiting(taken.position) for taken in (two, three, four)] == [True, True, False]
    assert desk.reader.finish_waiting(two.position) is False
    desk.hall.reactor.advance(30.0)
    assert ids(desk.reader.take(9)) == ["1"]
    assert desk.queue.backlog == 2


def test_one_whose_time_is_over_counts_as_dropped(desk: Desk) -> None:
    desk.put(1, 2, 3)
    one, two, three = desk.reader.take(9)
    desk.reader.expire([three, one])
    desk.reader.finish([two])
    counters = desk.hall.queues.entry(desk.queue.name).opened.stats().counters
    assert (counters.finished, counters.dropped_expired, counters.backlog) == (1, 2, 0)


def _letters(desk: Desk) -> Any:
    desk.hall.commit()
    return desk.queue.dead_letters(0, 1 << 20)


def test_what_was_not_settled_goes_to_the_next_reader(desk: Desk) -> None:
    desk.put(1, 2, 3)
    taken = desk.reader.take(9)
    desk.reader.close()
    desk.reader.give_back(taken, delivered=False)
    assert [(one.current.id, one.attempts) for one in desk.queue.reader(lambda: None).take(9)] == [
        *(("1", 0), ("2", 0), ("3", 0)),
    ]


def test_delays_and_times_to_expire(desk: Desk) -> None:
    messages = [Message(str(at), "q", b"", {"hubbub.expires": 1020.0} if at == 2 else {}, 1000.0) for at in (1, 2, 3)]
    desk.queue.put(messages, delays=[30.0, 0.0, 0.0])
    desk.hall.reactor.advance(20.0)
    assert ids(desk.reader.take(9)) == ["3"]
    desk.hall.reactor.advance(10.0)
    assert ids(desk.reader.take(9)) == ["1"]
