"""A queue is seen, limited and held alike, whether a consumer's threads drain it or something else, or nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from twisted.internet.task import Clock

from hub.errors import HubError
from hub.memory import Memory
from hub.parts.holds import NoHolds
from hub.parts.queue_entry import QueueEntry
from hub.parts.queues import NoSuchQueue
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.refused import PREFIX
from hub.snapshot import consumers_status
from hub.status.consumers import ConsumerStatus
from hub.store.letters import LetterLimits
from hub.store.memory import MemoryStore
from hub.workers.runtime import Runtime
from hub.workers.supervisor import Supervisor
from tests.unit.doubles import consumer_part, make_consumers, make_queue, message, messages, most, offer


class Durable(MemoryStore):
    """As far as the queues can tell."""

    durable = True


class Pump:
    """A toy that drains a queue in the reactor's thread, whenever it is called back."""

    def __init__(self, queue: Queue) -> None:
        self.queue, self.seen = queue, list[str]()

    def __call__(self) -> None:
        while (delivery := self.queue.take(10, timeout=0)) is not None:
            self.seen += [one.id for one in delivery.messages if one is not None]
            self.queue.finish(delivery, len(delivery.messages))


class Orders(NoHolds):
    """Pauses and drains that were ordered before."""

    def __init__(self) -> None:
        self.pauses, self.drains = set[str](), set[str]()

    def paused(self, name: str) -> bool:
        return name in self.pauses

    def draining(self, name: str) -> bool:
        return name in self.drains


class Hall:
    """A registry with a queue of each kind: ``threads``, ``callback``, ``orphan`` and ``stored``."""

    def __init__(self) -> None:
        self.clock, self.store, self.orders = Clock(), Durable(), Orders()
        seconds = self.clock.seconds
        self.consumers = make_consumers(Runtime(seconds, seconds, most), self.store, holds=self.orders)
        self.queues = self.consumers.queues
        self.supervisor = Supervisor(self.consumers.crews, seconds)
        for name in ("threads", "orphan"):
            part = consumer_part(name, overflow="block", max_backlog=3)
            self.consumers.start(part, self.consumers.prepare(part))
        self.stop("orphan")
        self.consumers.remove(["orphan"])
        self.pump = Pump(self.open("callback"))
        self.queues.add(QueueEntry.of(self.pump.queue, "a callback", ["x.#"], "pump"))
        self.open("stored")

    def open(self, name: str, **policy: Any) -> Queue:
        policy = {"overflow": "block", "max_backlog": 3, **policy}
        return Queue(name, QueuePolicy(**policy), self.store, self.clock.seconds, self.clock.seconds)

    def stop(self, name: str) -> None:
        assert self.consumers.stop_crew(name).gone.wait(10)

    def status(self) -> Mapping[str, Any]:
        rows = consumers_status(self.queues, self.supervisor, lambda name: None, self.clock.seconds())
        return msgspec.convert(rows, dict[str, ConsumerStatus])

    def end(self) -> None:
        self.stop("threads")


@pytest.fixture
def hall() -> Iterator[Hall]:
    made = Hall()
    yield made
    made.end()


KINDS = ("threads", "callback", "orphan")


def test_each_stands_in_the_status_with_all_that_a_status_has(hall: Hall) -> None:
    rows = hall.status()
    assert set(rows) == {*KINDS, "stored"}
    assert {name: row["drained_by"] for name, row in rows.items()} == {
        "threads": "threads",
        "callback": "a callback",
        "orphan": "nobody",
        "stored": "nobody",
    }
    assert {name: row["state"] for name, row in rows.items() if name != "threads"} == {
        "callback": "running",
        "orphan": "orphan",
        "stored": "orphan",
    }
    assert len({frozenset(row) for row in rows.values()}) == 1
    assert (rows["callback"]["type"], rows["callback"]["topics"], rows["callback"]["threads"]) == ("pump", ["x.#"], 0)
    assert [row["word"] for row in rows["callback"]["conditions"]] == ["running"]


def test_what_waits_in_it_is_drained_by_its_owner_and_counted(hall: Hall) -> None:
    offer(hall.pump.queue, messages(2))
    hall.clock.advance(1.0)
    assert hall.queues.sample(hall.clock.seconds()) == 2
    assert hall.status()["callback"]["backlog"] == 2
    hall.pump()
    hall.clock.advance(1.0)
    hall.queues.sample(hall.clock.seconds())
    row = hall.status()["callback"]
    assert hall.pump.seen == ["0", "1"]
    assert (row["backlog"], row["finished"], row["received"]) == (0, 2, 2)
    assert row["rate_out"] == 2.0


def test_it_is_paused_and_resumed_drained_and_purged(hall: Hall) -> None:
    queue = hall.pump.queue
    queue.pause()
    offer(queue, messages(1))
    hall.pump()
    assert (hall.pump.seen, hall.status()["callback"]["state"]) == ([], "paused")
    queue.resume()
    hall.pump()
    assert hall.pump.seen == ["0"]
    queue.drain()
    offer(queue, [message(7)])
    hall.pump()
    row = hall.status()["callback"]
    assert (row["state"], row["dropped_by"]["drained"], hall.pump.seen) == ("drained", 1, ["0"])
    queue.resume()
    offer(queue, messages(2))
    assert queue.purge() == 2
    assert hall.status()["callback"]["backlog"] == 0


def test_a_full_one_holds_the_buses_back_and_a_store_that_is_too_large_fills_it(hall: Hall) -> None:
    assert not hall.queues.full()
    offer(hall.pump.queue, messages(4))
    assert hall.queues.full()
    assert hall.status()["callback"]["state"] == "full"
    hall.pump()
    assert not hall.queues.full()
    hall.queues.over_quota(True)
    offer(hall.pump.queue, messages(1))
    assert hall.queues.full()
    hall.queues.over_quota(False)
    assert not hall.queues.full()


def test_the_largest_of_those_on_the_disk_is_known(hall: Hall) -> None:
    assert hall.queues.largest() == ""
    for name, count, store in (("small", 1, Durable()), ("large", 5, Durable()), ("memory", 50, None)):
        queue = make_queue(hall.clock.seconds, store=store, name=name)
        hall.queues.add(QueueEntry.of(queue, "somebody"))
        offer(queue, messages(count))
    assert hall.queues.largest() == "large"


def test_a_queue_that_is_added_while_the_store_is_too_large_is_full_too(hall: Hall) -> None:
    hall.queues.over_quota(True)
    late = make_queue(hall.clock.seconds, store=Durable(), name="late")
    hall.queues.add(QueueEntry.of(late, "somebody"))
    assert late.overflow.over_quota
    hall.queues.over_quota(False)
    assert not late.overflow.over_quota


def test_what_is_too_old_is_dropped_wherever_it_waits(hall: Hall) -> None:
    hall.pump.queue.adopt(replace(hall.pump.queue.policy, max_age=5.0))
    orphan = hall.queues.orphans["orphan"].queue
    orphan.adopt(replace(orphan.policy, max_age=5.0))
    for queue in (hall.pump.queue, orphan):
        offer(queue, messages(1))
    hall.clock.advance(10.0)
    hall.queues.sample(hall.clock.seconds())
    rows = hall.status()
    assert [rows[name]["dropped_by"]["expired"] for name in ("callback", "orphan")] == [1, 1]


def test_dead_letters_of_each_are_limited(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: dict[str, tuple[int, int | None, float | None]] = {}

    def limit(name: str, count: int, size: int | None, age: float | None) -> None:
        limits[name] = (count, size, age)

    monkeypatch.setattr(hall.store, "limit_dead_letters", limit)
    hall.queues.others["callback"].letters = LetterLimits(7, 1000, 60.0)
    hall.queues.limit_letters(None)
    assert limits["callback"] == (7, 1000, 60.0)
    assert set(limits) == {"threads", "callback"}
    hall.queues.limit_letters(4000)
    assert limits["callback"] == (7, 500, 60.0)


def test_what_was_ordered_before_holds_for_it_from_its_first_message_on(hall: Hall) -> None:
    hall.orders.pauses, hall.orders.drains = {"one"}, {"two"}
    for name in ("one", "two"):
        hall.queues.add(QueueEntry.of(hall.open(name), "a callback"))
    rows = hall.status()
    assert (rows["one"]["state"], rows["two"]["state"]) == ("paused", "drained")


def test_there_is_one_queue_of_a_name(hall: Hall) -> None:
    for name in ("threads", "callback"):
        with pytest.raises(HubError, match=f"there is a queue '{name}' already"):
            hall.queues.add(QueueEntry.of(hall.open(name), "a callback"))


def test_one_that_is_given_up_stays_as_the_queue_of_nobody(hall: Hall) -> None:
    offer(hall.pump.queue, messages(2))
    hall.queues.remove("callback")
    row = hall.status()["callback"]
    assert (row["state"], row["drained_by"], row["type"]) == ("orphan", "nobody", None)


def test_each_is_found_by_its_name_and_what_backends_refused_is_no_queue(hall: Hall) -> None:
    hall.open(PREFIX + "bus")
    for name in (*KINDS, "stored"):
        assert hall.queues.stored(name).name == name
    for name in ("nobody", PREFIX + "bus"):
        with pytest.raises(NoSuchQueue):
            hall.queues.stored(name)


def test_its_messages_are_known_to_be_in_memory(hall: Hall) -> None:
    memory = Memory(lambda: 1000)
    memory.begin(hall.queues.opened(), {})
    hall.pump.queue.pause()
    offer(hall.pump.queue, [message(1, body=b"x" * 100)])
    found = memory.status(hall.queues.opened(), {})
    assert found["resident_bytes"] == 1000
    assert hall.pump.queue.inspect.waiting_bytes() == 100
