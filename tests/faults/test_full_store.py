"""A store on a disk that is full to the last byte: what is settled can always be written, so it recovers by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from hub.deadletter import DeadLetter
from hub.enqueuer import Enqueuer
from hub.intakes import BackendIntake
from hub.message import Message
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.router import Router
from hub.store.durable import DurableStore
from hub.store.tables import Tables
from tests.faults.scenario import store_in
from tests.faults.size import FULL
from tests.faults.small_disk import fill, small_disk

pytestmark = pytest.mark.faults

MEBIBYTES = 4


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "state", MEBIBYTES) as directory:
        yield directory


def work(queue: Queue) -> int:
    """Do all that there is. Returns how much it was."""
    count = 0
    while (taken := queue.take(100, timeout=0)) is not None:
        count += len(taken.messages)
        queue.finish(taken, len(taken.messages))
    return count


def state(store: DurableStore) -> str:
    return store.writer.state


@pytest.mark.parametrize("batch", [1, 3, 20] if FULL else [1, 20])
@pytest.mark.parametrize("size", [100, 2000, 20_000] if FULL else [100, 2000])
def test_it_recovers_when_all_is_settled(disk: Path, batch: int, size: int) -> None:
    clock = Clock()
    store = store_in(disk, clock, Tables(disk, sync=False))
    policy = QueuePolicy(max_backlog=None, max_bytes=None)
    follows, behind = (Queue(name, policy, store, clock.seconds, clock.seconds) for name in ("follows", "behind"))
    enqueuer = Enqueuer(Router([(["#"], follows), (["#"], behind)]), store, clock.seconds, lambda: None)
    confirmed: list[int] = []
    intake = BackendIntake(enqueuer, confirmed.extend)
    received = 0
    while store.writer.step():
        intake.receive([Message(str(received + n), "a", b"x" * size) for n in range(batch)], range(batch))
        received += batch
        work(follows)
    assert state(store) == "full"
    fill(disk / "ballast")
    work(follows)
    assert len(confirmed) == received - batch
    assert work(behind) == received
    for _ in range(10):
        store.writer.step()
    assert state(store) == "ok"
    assert len(confirmed) == received
    store.close()


class Line:
    """A store on the disk with an intake and queues, in one thread."""

    def __init__(self, disk: Path, *names: str) -> None:
        self.clock = Clock()
        self.clock.advance(1e9)
        self.disk = disk
        self.store = store_in(disk, self.clock, Tables(disk, sync=False))
        policy = QueuePolicy(max_backlog=None, max_bytes=None)
        clock = self.clock.seconds
        self.queues = {name: Queue(name, policy, self.store, clock, clock) for name in names}
        routes = [(["#"], queue) for queue in self.queues.values()]
        self.confirmed: list[int] = []
        enqueuer = Enqueuer(Router(routes), self.store, clock, lambda: None)
        self.intake = BackendIntake(enqueuer, self.confirmed.extend)
        self.received = 0

    def receive(self, count: int, size: int) -> None:
        numbers = range(self.received, self.received + count)
        self.received += count
        now = self.clock.seconds()
        self.intake.receive([Message(str(number), "a", b"x" * size, {}, now) for number in numbers], numbers)

    def bury(self, name: str, limit: int) -> int:
        """Some messages. Returns how many."""
        taken = self.queues[name].take(limit, timeout=0)
        while taken is not None and taken.left:
            message = taken.messages[taken.done]
            self.queues[name].bury(taken, False, DeadLetter(message, "no", 1, self.clock.seconds()))
        return 0 if taken is None else len(taken.messages)

    def bury_all(self, name: str) -> None:
        while self.bury(name, 100):
            pass

    def steps(self, count: int = 10) -> None:
        for _ in range(count):
            self.store.writer.step()

    def kept(self, name: str) -> int:
        """Dead letters that are safe."""
        return self.store.kept_dead_letters(name)

    def is_well(self) -> None:
        """It can write again, and has confirmed all that came."""
        self.steps()
        assert state(self.store) == "ok", self.store.status()
        assert len(self.confirmed) == self.received
        assert self.store.close()


def test_it_recovers_though_dead_letters_filled_it(disk: Path) -> None:
    """What others finish is room for them, and for what comes."""
    line = Line(disk, "dead", "slow")
    while state(line.store) == "ok":
        line.receive(20, 1500)
        line.bury_all("dead")
        line.steps(1)
    fill(disk / "ballast")
    buried = line.received
    assert work(line.queues["slow"]) == line.received
    line.steps()
    assert line.kept("dead") == buried
    line.is_well()


def test_it_recovers_though_their_commits_brought_nothing_else(disk: Path) -> None:
    """A reserve that only new messages leave would be eaten by them."""
    line = Line(disk, "dead", "slow")
    while state(line.store) == "ok":
        line.receive(20, 1500)
        line.bury("dead", 10)
        line.steps(1)
    fill(disk / "ballast")
    while line.bury("dead", 3):
        line.steps(1)
    assert line.kept("dead") < line.received
    work(line.queues["slow"])
    line.steps(50)
    line.store.remove_letters("dead", [letter.number for letter in line.store.dead_letters("dead")])
    line.steps(50)
    assert line.queues["dead"].stats().counters.dead == line.received
    line.is_well()


def full_of_dead_letters(disk: Path) -> Line:
    """A store on a disk without room, with dead letters."""
    line = Line(disk, "dead")
    while state(line.store) == "ok":
        line.receive(20, 1500)
        line.bury_all("dead")
        line.steps(1)
    fill(disk / "ballast")
    return line


def test_dead_letters_that_are_deleted_are_room_for_what_waits(disk: Path) -> None:
    line = full_of_dead_letters(disk)
    line.receive(200, 1500)
    line.steps()
    assert state(line.store) == "full"
    line.store.remove_letters("dead", [letter.number for letter in line.store.dead_letters("dead")][:1000])
    line.is_well()


def test_a_kill_while_dead_letters_wait_for_room_loses_none(disk: Path) -> None:
    line = full_of_dead_letters(disk)
    line.bury_all("dead")
    line.steps()
    safe = line.kept("dead")
    line.store.tables.close()
    again = Line(disk, "dead")
    stats = again.queues["dead"].stats().counters
    assert (again.kept("dead"), stats.dead, stats.received) == (safe, safe, safe + stats.backlog)
    assert safe + stats.backlog >= len(line.confirmed)
    again.store.close()


@pytest.mark.parametrize("deleted", [False, True])
def test_it_recovers_with_many_delayed_messages(disk: Path, deleted: bool) -> None:
    """Each second one waits for a retry: as many ranges as messages."""
    line = Line(disk, "q")
    queue = line.queues["q"]
    while state(line.store) == "ok":
        line.receive(100, 50)
        while (taken := queue.take(1, timeout=0)) is not None:
            if int(taken.messages[0].id) % 2:
                queue.retry(taken, 3600.0, failed=True)
            else:
                queue.finish(taken, 1)
        line.steps(1)
    fill(disk / "ballast")
    if deleted:
        line.store.delete("q")
    else:
        line.clock.advance(7200.0)
        while (taken := queue.take(7, timeout=0)) is not None:
            queue.finish(taken, len(taken.messages))
            line.steps(1)
    line.is_well()


def test_what_waits_is_written_in_pieces_that_fit(disk: Path) -> None:
    """After a purge there is room for each, though not for all at once."""
    line = Line(disk, "paused")
    while state(line.store) == "ok":
        line.receive(1, 200_000)
        line.steps(1)
    for _ in range(60):
        line.receive(1, 200_000)
    fill(disk / "ballast")
    line.queues["paused"].purge()
    for _ in range(40):
        line.steps(1)
        work(line.queues["paused"])
    line.is_well()


def test_a_stop_stores_what_there_is_room_for(disk: Path) -> None:
    line = Line(disk, "paused")
    while state(line.store) == "ok":
        line.receive(1, 200_000)
        line.steps(1)
    line.queues["paused"].purge()
    for _ in range(5):
        line.receive(1, 200_000)
    line.store.writer.close()
    line.store.writer.run()
    assert state(line.store) == "ok"
    assert len(line.confirmed) == line.received
    assert line.store.close()


def test_a_queue_that_is_deleted_is_room(disk: Path) -> None:
    line = Line(disk, "gone", "stays")
    while state(line.store) == "ok":
        line.receive(5, 300)
        work(line.queues["stays"])
        line.steps(1)
    fill(disk / "ballast")
    line.store.delete("gone")
    line.is_well()
