"""Messages for a place on the bus that is at fault: they wait, and the others go on."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred

from hub import unsent_aside
from hub.backends.memory import Memory
from hub.backoff import FIRST_DELAY, LONGEST_DELAY
from hub.settings import Settings
from tests.unit.backends.support import Recorder, hub_context
from tests.unit.doubles import message
from tests.unit.post import Post, ids


def test_a_place_that_is_at_fault_holds_up_no_other() -> None:
    post = Post().opened()
    post.bus.full = {"full"}
    post.commit(1, 2, topic="full")
    post.commit(*range(3, 203))
    assert post.sent == ids(range(3, 203))
    status = post.outbox.status()
    assert (status["outbox_state"], status["outbox_error"]) == ("retrying", "full is full")
    assert (status["outbox_waiting"], status["outbox_unconfirmed"]) == (2, 0)
    assert status["outbox_retry_in"] == FIRST_DELAY
    post.bus.full.clear()
    post.reactor.advance(FIRST_DELAY)
    assert (post.sent[-2:], post.store.kept_out) == (["1", "2"], {})
    status = post.outbox.status()
    assert (status["outbox_state"], status["outbox_error"], status["outbox_retry_in"]) == ("sending", None, None)
    assert post.log.lines() == [
        "messages wait, and the others go on: full is full",
        "messages that waited are accepted",
    ]


def test_it_is_tried_again_with_growing_delays() -> None:
    post = Post().opened()
    post.bus.full = {"full"}
    post.commit(1, topic="full")
    delays = []
    for number in range(2, 11):
        delays.append(post.outbox.status()["outbox_retry_in"] or 0.0)
        post.commit(number)
        post.reactor.advance(delays[-1])
    assert delays == [min(LONGEST_DELAY, FIRST_DELAY * 2**power) for power in range(9)]
    assert post.sent == ids(range(2, 11))
    assert post.outbox.status()["outbox_oldest_age"] == sum(delays) - 1  # that of the one that waits, made at 1


def test_more_than_some_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are in memory, so their number is bounded."""
    monkeypatch.setattr(unsent_aside, "MOST_ASIDE", 2)
    post = Post().opened()
    post.bus.full = {"full"}
    post.commit(1, 2, 3, topic="full")
    post.commit(4)
    assert post.sent == []
    post.bus.full.clear()
    post.reactor.advance(FIRST_DELAY)
    assert sorted(post.sent) == ids(range(1, 5))


def test_their_bytes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsent_aside, "MOST_ASIDE_BYTES", 1)
    post = Post().opened()
    post.bus.full = {"full"}
    post.commit(1, topic="full")
    post.commit(2)
    assert (post.sent, post.outbox.status()["outbox_error"]) == ([], "full is full")


def test_where_the_order_matters_none_overtakes_it() -> None:
    post = Post()
    post.bus.publish_window = 1  # type: ignore[attr-defined]
    post.opened()
    post.bus.full = {"full"}
    post.commit(1, topic="full")
    post.commit(2)
    assert post.sent == []
    post.bus.full.clear()
    post.reactor.advance(FIRST_DELAY)
    assert post.sent == ["1", "2"]


def test_another_bus_is_tried_at_once() -> None:
    post = Post().opened()
    post.bus.full = {"full"}
    post.commit(1, topic="full")
    post.outbox.hold()
    post.bus = Memory(hub_context(Settings()))
    post.bus.start(Recorder())
    post.outbox.open(post.bus)
    assert (post.sent, post.store.kept_out) == (["1"], {})
    assert post.reactor.getDelayedCalls() == []


def test_the_end_leaves_them_in_the_store_and_counts_those_in_none() -> None:
    post = Post().opened()
    post.bus.full = {"full"}
    post.commit(1, topic="full")
    outcomes: list[object] = []
    sending: Deferred[None] = Deferred()
    sending.addErrback(lambda failure: outcomes.append(str(failure.value)))
    post.outbox.add(message(2, "full"), sending)
    post.outbox.pump()
    ended: list[None] = []
    post.outbox.finish(post.bus).addCallback(ended.append)
    assert ended == [None]
    post.outbox.close()
    assert (list(post.store.kept_out), outcomes) == ([1], ["the hub stops: full is full"])
    assert post.reactor.getDelayedCalls() == []


def test_they_can_be_dropped() -> None:
    post = Post().opened()
    post.bus.full = {"full"}
    post.commit(1, 2, topic="full")
    post.outbox.hold()
    assert list(post.outbox.drop_stored()) == [2]
    post.reactor.advance(LONGEST_DELAY)
    assert (post.sent, post.store.kept_out, post.outbox.failed) == ([], {}, 2)
