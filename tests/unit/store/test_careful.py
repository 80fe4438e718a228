"""After a kill with a message in hand that was not stored, messages are stored before a worker has them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store import RoutedBatch, Share
from hub.store.durable import CAREFUL_FOR, DurableStore
from tests.unit.doubles import RecordingLog, message


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["uncommitted", "committed"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[DurableStore]:
    """As after a kill, with a message in slot."""
    former = DurableStore(tmp_path, RecordingLog(), threaded=False)
    former.open("q")
    if request.param == "committed":
        former.append(one(0), None)
    assert former.writer.step()
    slot = former.slot("q")
    slot.hold(0, 1)
    former.tables.close()
    made = DurableStore(tmp_path, RecordingLog(), monotonic=clock)
    yield made
    made.close()


def one(position: int) -> RoutedBatch:
    batch = [message(position)]
    return RoutedBatch(batch, [Share("q", position, None, batch)])


@pytest.mark.parametrize("store", ["uncommitted"], indirect=True)
def test_an_append_waits_for_its_commit_until_the_time_is_over(store: DurableStore, clock: Clock) -> None:
    assert store.open("q").tries == {}
    stored: list[int] = []
    assert store.append(one(0), lambda: stored.append(0))
    assert (stored, store.pending()) == ([0], 0)
    clock.now += CAREFUL_FOR
    blocked = threading.Event()
    assert not store.append(one(1), blocked.set)
    assert store.flush(10)
    assert blocked.is_set()


@pytest.mark.parametrize("store", ["committed"], indirect=True)
def test_a_message_that_was_stored_is_no_reason_for_it(store: DurableStore) -> None:
    assert store.open("q").tries[0].kills == 1
    assert not store.append(one(1), None)
