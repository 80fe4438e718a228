"""What backends are told, and their senders, before they stop."""

from __future__ import annotations

from typing import Any

import pytest

from hub.store import RoutedBatch
from hub.store.memory import MemoryStore
from tests.unit.doubles import RecordingBackend, messages
from tests.unit.parts.test_backends import backends_of, start


class SlowStore(MemoryStore):
    """Its disk takes nothing until the test lets it; what is confirmed then comes first."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Any] = []

    def append(self, batch: RoutedBatch, stored: Any) -> bool:
        self.waiting.append(stored)
        return False

    def when_stored(self, call: Any, at_once: bool = True) -> None:
        self.waiting.append(call)

    def take(self) -> None:
        for call in self.waiting:
            call()


@pytest.mark.parametrize("reload", [False, True])
def test_senders_are_told_of_what_the_last_commit_holds_before_their_backend_stops(reload: bool) -> None:
    store = SlowStore()
    rig, reactor, backends = backends_of(store, one=RecordingBackend)
    backend = backends["one"]
    start(rig)
    backend.intake.receive(messages(2), ["a", "b"])
    leaving = rig.apply({}, ("one",)) if reload else rig.stop()
    assert [call for call, _ in backend.calls] == ["start", "pause"]
    store.take()
    reactor.advance(1.0)
    assert leaving.called
    assert backend.calls[1:] == [("pause", None), ("confirm", ["a", "b"]), ("stop", None)]


def test_a_disk_that_is_full_holds_no_stop_up_for_long() -> None:
    rig, reactor, backends = backends_of(SlowStore(), one=RecordingBackend)
    start(rig)
    stopping = rig.stop()
    reactor.pump([0.1] * 60)
    assert stopping.called
    assert backends["one"].calls[-1] == ("stop", None)


def test_a_backend_that_stops_stays_paused_when_there_is_room_again() -> None:
    store = SlowStore()
    rig, reactor, backends = backends_of(store, one=RecordingBackend)
    start(rig)
    rig.flow.hold("queues", "a queue is full")
    stopping = rig.stop()
    rig.flow.release("queues")
    store.take()
    reactor.advance(1.0)
    assert stopping.called
    assert [call for call, _ in backends["one"].calls] == ["start", "pause", "pause", "stop"]
