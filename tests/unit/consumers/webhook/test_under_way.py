"""Requests under way are found again by their ids."""

from __future__ import annotations

from concurrent.futures import Future

import pytest

from hub.consumers.webhook import under_way as module
from hub.consumers.webhook.answer import Answer
from hub.consumers.webhook.under_way import UnderWay


def done() -> Future[Answer]:
    future: Future[Answer] = Future()
    future.set_result(Answer(200))
    return future


def test_two_that_begin_the_same_share_it() -> None:
    sendings = UnderWay(lambda: 5.0)
    first = sendings.begin("a", done)
    assert sendings.begin("a", done) is first
    assert (sendings.of("a"), first.since) == (first, 5.0)
    sendings.fetched("a", first)
    assert sendings.of("a") is None
    sendings.fetched("a", first)


def test_what_can_not_begin_leaves_nothing() -> None:
    def refuse() -> Future[Answer]:
        raise ValueError

    sendings = UnderWay(lambda: 0.0)
    with pytest.raises(ValueError):
        sendings.begin("a", refuse)
    assert sendings.of("a") is None


def test_answers_that_nobody_fetches_are_bounded_and_none_under_way_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_ANSWERS", 3)
    sendings = UnderWay(lambda: 0.0)
    waiting = sendings.begin("w", Future)
    for number in range(10):
        sendings.begin(str(number), done)
    assert sendings.of("w") is waiting
    assert [sendings.of(str(number)) is not None for number in range(10)] == [False] * 8 + [True] * 2
