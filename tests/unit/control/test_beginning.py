"""A consumer's beginning: all that is kept, in steps, and no faster than the disk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet import task

from hub.control.beginning import ROOM_EVERY, give_kept
from hub.control.steering import Replayed, ReplayOrder
from hub.control.verbs.steps import MOMENT, MOST_PENDING
from tests.unit.doubles import FakeReactor

ORDER = ReplayOrder("late", 0.0, 1.0)


class FakeHub:
    """Whose replay has so many steps, and raises at the end what it is told to."""

    def __init__(self, steps: int, error: Exception | None = None) -> None:
        self.steering: Any = self
        self.reactor: Any = FakeReactor()
        self.given = 0
        self.waiting = 0
        self.not_taken = 0
        self._steps = steps
        self._error = error

    def pending(self) -> int:
        return self.waiting

    def replay(self, order: ReplayOrder, waits: bool) -> Iterator[Replayed]:
        assert waits
        for _ in range(self._steps):
            self.given += 1
            yield Replayed(self.given, 0, 0.0, self.not_taken)
        if self._error is not None:
            raise self._error


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> FakeReactor:
    """The reactor of ``cooperate``."""
    reactor = FakeReactor()
    one_step_a_turn = lambda: lambda: True  # noqa: E731 - a factory of predicates
    together = task.Cooperator(one_step_a_turn, lambda call: reactor.callLater(0.001, call))
    monkeypatch.setattr("hub.control.beginning.cooperate", together.cooperate)
    return reactor


def test_all_is_given_a_step_a_turn(turns: FakeReactor) -> None:
    hub = FakeHub(5)
    give_kept(hub, ORDER, lambda: True)  # type: ignore[arg-type]
    turns.advance(0.001)
    assert hub.given == 1
    turns.pump([0.001] * 10)
    assert hub.given == 5


def test_it_waits_for_the_disk(turns: FakeReactor) -> None:
    hub = FakeHub(5)
    hub.waiting = MOST_PENDING + 1
    give_kept(hub, ORDER, lambda: True)  # type: ignore[arg-type]
    turns.pump([0.001] * 10)
    assert hub.given == 1
    hub.waiting = 0
    hub.reactor.advance(MOMENT)
    turns.pump([0.001] * 10)
    assert hub.given == 5


def test_it_ends_with_the_hub(turns: FakeReactor) -> None:
    hub, goes_on = FakeHub(5), [True, True, False]
    give_kept(hub, ORDER, lambda: goes_on.pop(0))  # type: ignore[arg-type]
    turns.pump([0.001] * 10)
    assert hub.given == 3


def test_what_ends_it_early_is_told(turns: FakeReactor, caplog: pytest.LogCaptureFixture) -> None:
    give_kept(FakeHub(1, OSError(5, "no disk")), ORDER, lambda: True)  # type: ignore[arg-type]
    turns.pump([0.001] * 10)
    assert "consumer late was not given all that is kept: [Errno 5] no disk" in caplog.text


def test_it_waits_while_the_queue_is_full(turns: FakeReactor) -> None:
    hub = FakeHub(5)
    hub.not_taken = 3
    give_kept(hub, ORDER, lambda: True)  # type: ignore[arg-type]
    turns.pump([0.001] * 20)
    assert hub.given == 1
    hub.not_taken = 0
    hub.reactor.advance(ROOM_EVERY)
    turns.pump([0.001] * 20)
    assert hub.given == 5
