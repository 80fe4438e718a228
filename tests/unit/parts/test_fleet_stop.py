"""What backends are told, and their senders, before they stop."""

from __future__ import annotations

from typing import Any

import pytest

from hub.store import RoutedBatch
from hub.store.memory import MemoryStore
from tests.unit.doubles import RecordingBackend, messages
from tests.unit.parts.test_fleet import fleet_of, start


class SlowStore(MemoryStore):
    """Its disk takes nothing until the test lets it; what is confirmed then comes first."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Any] = []

    def append(self, batch: RoutedBatch, stored: Any) -> None:
        self.waiting.append(stored)

    def when_stored(self, call: Any) -> None:
        self.waiting.append(call)

    def take(self) -> None:
        for call in self.waiting:
            call()


@pytest.mark.parametrize("reload", [False, True])
def test_senders_are_told_of_what_the_last_commit_holds_before_their_backend_stops(reload: bool) -> None:
    store = SlowStore()
    fleet, _, backends = fleet_of(store, one=RecordingBackend)
    backend = backends["one"]
    start(fleet)
    backend.intake.receive(messages(2), ["a", "b"])
    leaving = fleet.apply({}, {}, ["one"], 5.0) if reload else fleet.stop(5.0)
    assert [call for call, _ in backend.calls] == ["start", "pause"]
    store.take()
    fleet._reactor.advance(1.0)
    assert leaving.called
    assert backend.calls[1:] == [("pause", None), ("confirm", ["a", "b"]), ("stop", None)]


def test_a_disk_that_is_full_holds_no_stop_up_for_long() -> None:
    fleet, reactor, backends = fleet_of(SlowStore(), one=RecordingBackend)
    start(fleet)
    stopping = fleet.stop(5.0)
    reactor.pump([0.1] * 60)
    assert stopping.called
    assert backends["one"].calls[-1] == ("stop", None)
