"""Orders that are carried out in steps, on a real reactor."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.task import Clock

from hub.control.cooperative import MOMENT, MOST_PENDING, backpressure, in_steps
from hub.errors import HubError
from tests.conftest import ReactorThread


class Paced:
    """A hub whose disk has so many batches to write."""

    def __init__(self, reactor: Any, pending: int = 0) -> None:
        self.reactor = reactor
        self.waiting = pending
        self.store = SimpleNamespace(pending=lambda: self.waiting)


def test_it_fires_with_what_the_last_step_gave(reactor_thread: ReactorThread) -> None:
    hub: Any = Paced(reactor_thread.reactor)
    assert reactor_thread.call(in_steps, hub, iter([1, 2, 3])) == 3


def test_others_have_their_turn_between_two_steps(reactor_thread: ReactorThread) -> None:
    hub: Any = Paced(reactor_thread.reactor, MOST_PENDING + 1)
    turns: list[str] = []

    def steps() -> Iterator[int]:
        for number in range(3):
            hub.reactor.callLater(0, turns.append, "other")
            turns.append("step")
            yield number

    assert reactor_thread.call(in_steps, hub, steps()) == 2
    assert turns[:5] == ["step", "other", "step", "other", "step"]


def test_what_a_step_raises_ends_it(reactor_thread: ReactorThread) -> None:
    def steps() -> Iterator[int]:
        yield 1
        raise HubError("no more")

    hub: Any = Paced(reactor_thread.reactor)
    with pytest.raises(HubError, match="no more"):
        reactor_thread.call(in_steps, hub, steps())


def test_a_disk_that_does_not_keep_up_is_waited_for() -> None:
    hub: Any = Paced(Clock(), MOST_PENDING)
    assert backpressure(hub) is None
    hub.waiting += 1
    waited = backpressure(hub)
    assert waited is not None
    assert not waited.called
    hub.reactor.advance(MOMENT)
    assert waited.called
