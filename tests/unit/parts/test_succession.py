"""Which queue a consumer is given: nothing that was stored is put out of sight by a setting."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.deadletter import DeadLetter
from hub.enqueuer import Enqueuer
from hub.message import Message
from hub.parts.holds import NoHolds
from hub.router import Router
from hub.store.durable import DurableStore
from hub.store.memory import MemoryStore
from hub.workers.runtime import Runtime
from tests.support import wait_until
from tests.unit.doubles import (
    RecordingLog,
    Scripted,
    consumer_part,
    make_consumers,
    message,
    messages,
    none_at_all,
    size_of,
)


class Desk(NoHolds):
    """The consumers on a store, which is ended and begun anew."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.renames: list[tuple[str, str]] = []
        self.held: set[str] = set()
        self.open()

    def open(self) -> None:
        self.store, memory = DurableStore(self.directory, RecordingLog(), sync=False), MemoryStore()
        around = Runtime(time.monotonic, time.time, none_at_all)
        self.consumers = make_consumers(around, self.store, memory, holds_back=lambda: False, holds=self)
        self.enqueuer = Enqueuer(Router([]), self.store, time.time, lambda: None)

    def close(self) -> None:
        for name in list(self.consumers.members):
            self.consumers.stop_crew(name)
        for crew in self.consumers.leaving:
            assert crew.gone.wait(10)
        self.store.close()

    def restart(self) -> None:
        self.close()
        self.open()

    def start(self, name: str, paused: bool = False, **settings: Any) -> list[str]:
        """As a start and a reload do. Returns what could not be applied."""
        if name in self.consumers.members:
            assert self.consumers.stop_crew(name).gone.wait(10)
        part = consumer_part(name, **settings)
        self.held = {name} if paused else set()
        self.consumers.start(part, Scripted())
        if not paused:
            self.queue(name).resume()
        return self.consumers.succession.take_problems()

    def paused(self, name: str) -> bool:
        return name in self.held

    def rename(self, old: str, new: str) -> None:
        self.renames.append((old, new))

    def queue(self, name: str) -> Any:
        return self.consumers.members[name].queue

    def deliver(self, name: str, batch: list[Message]) -> None:
        self.enqueuer.deliver(batch, [(self.queue(name), None)], size_of(batch), None)
        assert self.store.flush(10)

    def work_off(self, name: str) -> None:
        self.queue(name).resume()
        wait_until(lambda: not self.backlog(name), 10, "all to be finished")

    def backlog(self, name: str) -> int:
        return int(self.queue(name).stats().counters.backlog)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


# -- durable


@pytest.mark.parametrize("restarts", [True, False])
def test_a_backlog_on_the_disk_is_delivered_though_the_queue_is_to_be_in_memory(desk: Desk, restarts: bool) -> None:
    desk.start("c", paused=True)
    desk.deliver("c", messages(20))
    if restarts:
        desk.restart()
    told = desk.start("c", paused=True, durable=False)
    left = "its queue stays on the disk, with 20 messages; once these are settled, a reload applies it"
    assert told == [f"consumers.c.durable: {left}"]
    assert (desk.backlog("c"), desk.queue("c").store.durable) == (20, True)
    assert desk.consumers.members["c"].part.settings.durable
    assert desk.queue("c").policy.max_backlog is None
    desk.work_off("c")
    assert desk.start("c", durable=False) == []
    counters = desk.queue("c").stats().counters
    assert (desk.queue("c").store.durable, counters.received, counters.finished) == (False, 20, 20)


def test_so_are_dead_letters_and_they_stay_in_sight(desk: Desk) -> None:
    desk.start("c")
    desk.queue("c").bury_unqueued(DeadLetter(message(1), "no", 1, time.time()))
    desk.restart()
    (told,) = desk.start("c", durable=False)
    assert "with 1 dead letters" in told
    assert desk.queue("c").store.kept_dead_letters("c") == 1


def test_a_new_queue_and_an_empty_one_are_in_memory_at_once(desk: Desk) -> None:
    assert desk.start("new", durable=False) == []
    assert not desk.queue("new").store.durable
    desk.start("c")
    desk.deliver("c", messages(3))
    desk.work_off("c")
    desk.restart()
    assert desk.start("c", durable=False) == []
    assert not desk.queue("c").store.durable


def test_a_queue_in_memory_goes_to_the_disk_when_it_is_empty_and_counts_on(desk: Desk) -> None:
    desk.start("c", paused=True, durable=False)
    desk.deliver("c", messages(3))
    (told,) = desk.start("c", paused=True)
    assert "its queue stays in memory, with 3 messages" in told
    desk.work_off("c")
    assert desk.start("c", paused=True) == []
    desk.deliver("c", messages(2))
    desk.restart()
    desk.start("c", paused=True)
    counters = desk.queue("c").stats().counters
    assert (counters.received, counters.finished, counters.backlog) == (5, 3, 2)


def test_and_back_again_with_positions_that_fit(desk: Desk) -> None:
    for durable in (True, False, True, False, True):
        assert desk.start("c", paused=True, durable=durable) == []
        desk.deliver("c", messages(3))
        desk.work_off("c")
    desk.start("c", paused=True)
    desk.deliver("c", messages(2))
    desk.restart()
    desk.start("c", paused=True)
    counters = desk.queue("c").stats().counters
    assert (counters.received, counters.backlog) == (17, 2)
    desk.work_off("c")
    assert desk.queue("c").stats().counters.dropped == 0


# -- renamed_from


def test_a_reload_gives_a_renamed_consumer_its_queue(desk: Desk) -> None:
    desk.start("old", paused=True)
    desk.deliver("old", messages(5))
    assert desk.consumers.stop_crew("old").gone.wait(10)
    desk.consumers.remove(["old"])
    assert desk.start("new", paused=True, renamed_from="old") == []
    assert (desk.backlog("new"), desk.renames, list(desk.consumers.orphans)) == (5, [("old", "new")], [])
    desk.deliver("new", messages(2))
    assert list(desk.store.queues()) == ["new"]
    desk.restart()
    desk.start("new", paused=True, renamed_from="old")
    assert desk.backlog("new") == 7
    desk.work_off("new")


def test_one_that_the_restart_finds_as_an_orphan_too(desk: Desk) -> None:
    desk.start("old", paused=True)
    desk.deliver("old", messages(5))
    desk.restart()
    assert desk.start("new", paused=True, renamed_from="old") == []
    assert desk.backlog("new") == 5


def test_what_was_missed_once_can_be_mended_when_the_new_queue_is_empty(desk: Desk) -> None:
    desk.start("old", paused=True)
    desk.deliver("old", messages(5))
    assert desk.consumers.stop_crew("old").gone.wait(10)
    desk.consumers.remove(["old"])
    desk.start("new", paused=True)
    desk.deliver("new", messages(2))
    (told,) = desk.start("new", paused=True, renamed_from="old")
    assert told == (
        "consumers.new.renamed_from: the queue 'old' stays an orphan: 'new' has a queue of its own with 2 messages; "
        "reload once these are settled"
    )
    assert desk.consumers.members["new"].part.settings.renamed_from is None, "the next reload would see no difference"
    assert (desk.backlog("new"), list(desk.consumers.orphans)) == (2, ["old"])
    desk.work_off("new")
    assert desk.start("new", paused=True, renamed_from="old") == []
    assert (desk.backlog("new"), list(desk.consumers.orphans)) == (5, [])
    desk.restart()
    desk.start("new", paused=True)
    assert desk.backlog("new") == 5


def test_a_consumer_that_is_still_there_keeps_its_queue(desk: Desk) -> None:
    desk.start("old", paused=True)
    desk.deliver("old", messages(5))
    (told,) = desk.start("new", renamed_from="old")
    assert told == "consumers.new.renamed_from: 'old' is still in use, and keeps its queue"
    assert desk.backlog("old") == 5


def test_a_queue_in_memory_can_not_be_taken_over(desk: Desk) -> None:
    desk.start("old", paused=True, durable=False)
    desk.deliver("old", messages(5))
    assert desk.consumers.stop_crew("old").gone.wait(10)
    desk.consumers.remove(["old"])
    (told,) = desk.start("new", renamed_from="old")
    assert told.endswith("the queue 'old' stays an orphan: it is in memory, and ends with the hub")
    assert (desk.backlog("new"), list(desk.consumers.orphans)) == (0, ["old"])
