"""Who is suspected of having killed the hub: what was in hand, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from hub.enqueuer import Enqueuer
from hub.errors import Retry
from hub.message import Message
from hub.queue.policy import QueuePolicy, Window
from hub.queue.queue import Queue
from hub.router import Router
from hub.store.durable import DurableStore
from hub.store.tables import Tables
from hub.workers.retry import Backoff
from hub.workers.runtime import Runtime
from hub.workers.worker import Worker, WorkerPolicy
from tests.faults.scenario import store_in
from tests.unit.doubles import RecordingLog, Scripted, ScriptedBatches, most

pytestmark = pytest.mark.faults

POLICY = QueuePolicy(max_backlog=None, max_bytes=None, window=Window(100, 1 << 20), max_kills=3)


class Life:
    """A store on a directory, with a queue and a worker, in one thread."""

    def __init__(self, directory: Path, consumer: Scripted, policy: QueuePolicy = POLICY) -> None:
        self.directory = directory
        self.consumer = consumer
        self.clock = Clock()
        self.clock.advance(1e9)
        seconds = self.clock.seconds
        self.store = store_in(directory, self.clock, Tables(directory, sync=False))
        self.queue = Queue("q", policy, self.store, seconds, seconds)
        batch_size = 100 if isinstance(consumer, ScriptedBatches) else None
        self.worker = Worker(
            consumer,
            self.queue,
            WorkerPolicy(Backoff(3, 1.0, 300.0), batch_size),
            Runtime(seconds, seconds, most),
            RecordingLog(),
        )

    def receive(self, count: int) -> None:
        now = self.clock.seconds()
        enqueuer = Enqueuer(Router([(["#"], self.queue)]), self.store, self.clock.seconds, lambda: None)
        enqueuer.receive([Message(str(number), "a", b"{}", {}, now) for number in range(count)], None)
        assert self.store.writer.step()

    def work(self) -> None:
        while self.worker.step(0):
            pass
        assert self.store.writer.step()

    def killed_at(self, name: str, copy: Path) -> None:
        """Have what is on the disk, while that message is consumed, copied to there."""

        def kill(message: Message) -> None:
            if message.id == name and not copy.exists():
                shutil.copytree(self.directory, copy)

        self.consumer.on_consume = kill


def after(copy: Path) -> DurableStore:
    clock = Clock()
    clock.advance(1e9)
    return store_in(copy, clock, Tables(copy, sync=False))


def suspects(copy: Path) -> dict[int, int]:
    """By position, how often the hub was killed with it in hand."""
    store = after(copy)
    tries = store.open("q").tries
    store.close()
    return {position: one.kills for position, one in tries.items() if one.kills}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    directory.mkdir()
    return directory


def test_the_run_in_hand(state: Path, tmp_path: Path) -> None:
    life = Life(state, ScriptedBatches())
    life.receive(5)
    life.killed_at("3", tmp_path / "copy")
    life.work()
    assert suspects(tmp_path / "copy") == dict.fromkeys(range(5), 1)


def test_not_what_lies_between_two_that_are_tried_again(state: Path, tmp_path: Path) -> None:
    life = Life(state, Scripted())
    life.consumer.script = {name: [Retry(delay=5.0)] for name in ("0", "9")}
    life.consumer.script |= {str(number): [Retry(delay=500.0)] for number in range(1, 9)}
    life.receive(10)
    life.work()
    life.clock.advance(6.0)
    life.killed_at("9", tmp_path / "copy")
    life.work()
    assert 9 in suspects(tmp_path / "copy")
    assert suspects(tmp_path / "copy").keys() <= {0, 9}


def test_not_those_that_stay_behind_in_another_lane(state: Path, tmp_path: Path) -> None:
    policy = QueuePolicy(
        max_backlog=None, max_bytes=None, window=Window(100, 1 << 20), key_of=lambda message: int(message.id) % 2
    )
    life = Life(state, ScriptedBatches(), policy)
    life.receive(10)
    life.killed_at("4", tmp_path / "copy")
    life.work()
    assert suspects(tmp_path / "copy").keys() <= {0, 2, 4, 6, 8}


def test_none_after_a_stop_in_order(state: Path) -> None:
    life = Life(state, Scripted())
    life.consumer.script = {str(number): [Retry(delay=500.0)] for number in range(5)}
    life.receive(5)
    life.work()
    life.store.close()
    assert suspects(state) == {}
