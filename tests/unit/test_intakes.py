"""What a backend puts messages into, and when it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from hub.enqueuer import Enqueuer
from hub.intakes import BackendIntake, SettledIntake, check_tokens
from hub.placements import Placement
from hub.router import Router
from hub.store import RoutedBatch
from hub.store.memory import MemoryStore
from tests.unit.doubles import message, messages


class SlowStore(MemoryStore):
    """Says 'stored' only when told to."""

    stored: Callable[[], None] | None = None

    def append(self, batch: RoutedBatch, stored: Callable[[], None] | None) -> bool:
        self.stored = stored
        return False


def test_the_sender_is_told_when_the_store_has_it_and_not_before() -> None:
    store = SlowStore()
    enqueuer = Enqueuer(Router([]), store, lambda: 0.0, lambda: None)
    confirmed: list[object] = []
    BackendIntake(enqueuer, confirmed.append).receive(messages(2), tokens=["a", "b"])
    assert confirmed == []
    assert store.stored is not None
    store.stored()
    assert confirmed == [["a", "b"]]


def test_a_bus_without_acknowledgements_is_told_nothing() -> None:
    confirmed: list[object] = []
    enqueuer = Enqueuer(Router([]), MemoryStore(), lambda: 0.0, lambda: None)
    intake = BackendIntake(enqueuer, confirmed.append)
    intake.receive(messages(2, "x.y"))
    intake.refuse(message(0, "x.y"), "bad")
    assert confirmed == []
    assert enqueuer.counters.refused == 1


def test_one_that_is_told_after_the_work_gives_no_function_to_the_store_and_all_tokens_to_who_waits() -> None:
    store, waiting = SlowStore(), []

    def wait(tokens: Sequence[Any], placed: Sequence[Placement]) -> None:
        waiting.append((list(tokens), list(placed)))

    intake = SettledIntake(Enqueuer(Router([]), store, lambda: 0.0, lambda: None), wait)
    intake.receive(messages(2), tokens=["a", "b"])
    assert store.stored is None
    assert waiting == [(["a", "b"], [])]
    with pytest.raises(ValueError, match="1 token for 2 messages"):
        intake.receive(messages(2), tokens=["a"])
    assert len(waiting) == 1


def test_each_message_has_its_own_token_or_none_has_one() -> None:
    check_tokens(messages(2), [])
    check_tokens(messages(2), ["a", "b", "of one that a stage turned away"])
    with pytest.raises(ValueError, match="1 token for 2 messages"):
        check_tokens(messages(2), ["a"])
