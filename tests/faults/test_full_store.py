"""A store on a disk that is full to the last byte: what is settled can always be written, so it recovers by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from hub.enqueuer import BackendIntake, Enqueuer
from hub.message import Message
from hub.queue.overflow import QueuePolicy
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
