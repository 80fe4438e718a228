"""The pump of one backend's messages."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from hub import unsent
from hub.backends.memory import Memory
from hub.backoff import FIRST_DELAY, LONGEST_DELAY
from hub.errors import CannotPublish, Unavailable
from hub.message import Message
from hub.outbox import AT_ONCE, MOST_TRIES, WINDOW
from hub.settings import Settings
from tests.unit.backends.support import Recorder, hub_context
from tests.unit.doubles import message
from tests.unit.post import Post, ids


def test_a_message_leaves_the_store_only_when_the_bus_has_confirmed_it() -> None:
    post = Post().opened()
    post.bus.confirms_late = True
    post.commit(1, 2, 3)
    assert (post.given, list(post.store.kept_out)) == (["1", "2", "3"], [1, 2, 3])
    post.bus.confirm_published(2)
    assert list(post.store.kept_out) == [3]
    status = post.outbox.status()
    assert (status["outbox_waiting"], status["outbox_unconfirmed"], status["outbox_sent"]) == (1, 1, 2)


def test_no_more_than_the_window_is_unconfirmed() -> None:
    post = Post().opened()
    post.bus.confirms_late = True
    post.commit(*range(1, WINDOW + 51))
    assert len(post.given) == WINDOW
    post.bus.confirm_published(20)
    assert post.given == ids(range(1, WINDOW + 21))


def test_a_backend_may_have_a_window_of_its_own() -> None:
    post = Post()
    post.bus.confirms_late = True
    post.bus.publish_window = 1  # type: ignore[attr-defined]
    post.opened().commit(1, 2)
    assert post.given == ["1"]
    post.bus.confirm_published()
    assert post.given == ["1", "2"]


def test_a_message_that_the_bus_will_never_take_is_counted_logged_and_leaves() -> None:
    post = Post().opened()
    post.bus.refuses = {"never"}
    post.commit(1)
    post.commit(2, topic="never")
    post.commit(3)
    assert (post.sent, post.store.kept_out) == (["1", "3"], {})
    assert (post.outbox.sent, post.outbox.failed, post.outbox.retried) == (2, 1, 0)
    assert post.log.lines() == ["a message for never could not be published: the bus takes no message for never"]


def test_one_that_the_bus_refuses_late_leaves_too_and_the_others_go_on() -> None:
    post = Post().opened()
    post.bus.confirms_late = True
    post.commit(1, 2, topic="never")
    post.commit(3)
    post.bus.refuses = {"never"}
    post.bus.confirm_published()
    assert (post.sent, post.store.kept_out, post.outbox.failed) == (["3"], {}, 2)


def test_a_bus_that_is_away_is_tried_again_with_growing_delays_and_loses_nothing() -> None:
    post = Post().opened()
    post.bus.away = "the broker restarts"
    post.commit(1, 2)
    delays = []
    for _ in range(9):
        delays.append(post.outbox.status()["outbox_retry_in"] or 0.0)
        post.reactor.advance(delays[-1])
    assert delays == [min(LONGEST_DELAY, FIRST_DELAY * 2**power) for power in range(9)]
    assert (post.given, post.outbox.retried, post.sent) == (["1"] * 10, 10, [])
    assert post.outbox.status()["outbox_state"] == "retrying"
    assert post.outbox.status()["outbox_error"] == "the broker restarts"
    post.bus.away = ""
    post.reactor.advance(LONGEST_DELAY)
    assert (post.sent, post.store.kept_out) == (["1", "2"], {})
    assert post.outbox.status()["outbox_state"] == "sending"
    assert post.outbox.status()["outbox_error"] is None
    assert post.log.lines() == [
        "the bus accepts no messages now: the broker restarts; 2 wait to be sent",
        "the bus accepts messages again: 1 wait to be sent",
    ]


def test_delays_are_drawn_between_nothing_and_their_bound() -> None:
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return high / 2

    post = Post(uniform).opened()
    post.bus.away = "away"
    post.commit(1)
    post.reactor.advance(FIRST_DELAY / 2)
    assert drawn == [(0.0, FIRST_DELAY), (0.0, FIRST_DELAY * 2)]


def test_order_is_kept_where_a_connection_is_lost_with_messages_in_flight() -> None:
    post = Post().opened()
    post.bus.confirms_late = True
    post.commit(*range(1, 11))
    post.bus.confirm_published(3)
    post.bus.lose_connection()
    post.commit(11)
    assert (post.sent, len(post.given)) == (["1", "2", "3"], 10)
    post.bus.away, post.bus.confirms_late = "", False
    post.reactor.advance(FIRST_DELAY)
    assert post.sent == ids(range(1, 12))
    assert post.outbox.retried == 7


def test_a_fault_of_the_backend_is_tried_some_times_and_then_told_with_its_traceback() -> None:
    post = Post().opened()
    faults: list[int] = []

    def publish(message: Message) -> None:
        if message.id == "1":
            faults.append(1)
            raise KeyError("a bug")
        post.bus.published.append(message)

    post.bus.publish = publish  # type: ignore[method-assign]
    post.commit(1, 2)
    post.reactor.pump([LONGEST_DELAY] * MOST_TRIES)
    assert (len(faults), post.sent, post.outbox.failed) == (MOST_TRIES, ["2"], 1)
    (record,) = [record for record in post.log.records if record.levelname == "ERROR"]
    assert "KeyError: 'a bug'" in record.getMessage()
    assert record.exc_info


def test_an_error_of_the_network_is_a_matter_of_the_moment() -> None:
    post = Post().opened()
    refuse = [True]

    def publish(message: Message) -> None:
        if refuse:
            raise ConnectionRefusedError("nobody is there")
        post.bus.published.append(message)

    post.bus.publish = publish  # type: ignore[method-assign]
    post.commit(1)
    post.reactor.pump([LONGEST_DELAY] * (MOST_TRIES + 5))
    assert (post.sent, post.outbox.failed) == ([], 0)
    refuse.clear()
    post.reactor.advance(LONGEST_DELAY)
    assert post.sent == ["1"]


def test_what_the_former_backend_did_not_confirm_goes_out_by_the_next_one_before_all_else() -> None:
    post = Post().opened()
    post.bus.confirms_late = True
    post.commit(1, 2)
    settled: list[None] = []
    post.outbox.hold().addCallback(settled.append)
    post.commit(3)
    former, post.bus = post.bus, Memory(hub_context(Settings()))
    post.bus.start(Recorder())
    assert settled == []
    post.outbox.open(post.bus)
    assert (post.sent, settled) == (["1", "2", "3"], [None])
    former.confirm_published()
    assert (post.outbox.sent, post.store.kept_out) == (3, {})


def test_what_the_former_backend_confirms_late_is_not_sent_again() -> None:
    post = Post().opened()
    post.bus.confirms_late = True
    post.commit(1)
    post.outbox.hold()
    former, post.bus = post.bus, Memory(hub_context(Settings()))
    post.bus.start(Recorder())
    post.bus.away = "it connects"
    post.outbox.open(post.bus)
    former.confirm_published()
    post.bus.away = ""
    post.reactor.advance(FIRST_DELAY)
    assert (post.sent, post.outbox.sent, post.store.kept_out) == ([], 1, {})


def test_a_hold_is_over_when_what_is_in_flight_is_confirmed() -> None:
    post = Post().opened()
    post.bus.confirms_late = True
    post.commit(1)
    settled: list[None] = []
    post.outbox.hold().addCallback(settled.append)
    assert settled == []
    post.bus.confirm_published()
    assert settled == [None]


def test_one_turn_of_the_reactor_sends_a_bounded_number() -> None:
    post = Post()
    for number in range(AT_ONCE + 10):
        post.outbox.add(message(number))
    post.opened()
    assert len(post.sent) == AT_ONCE
    post.reactor.advance(0)
    assert len(post.sent) == AT_ONCE + 10


def test_whoever_waits_for_a_message_is_told_what_became_of_it() -> None:
    post = Post().opened()
    post.bus.refuses = {"never"}
    told: list[Any] = []
    for topic in ("a.b", "never"):
        done: Deferred[None] = Deferred()
        done.addBoth(told.append)
        post.outbox.add(message(1, topic), done)
    post.outbox.pump()
    assert told[0] is None
    assert told[1].type is CannotPublish


def test_what_is_in_no_store_is_bounded_and_whoever_waits_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unsent, "MOST_UNSTORED_BYTES", 4)
    post = Post()
    told: list[Any] = []
    for number in range(3):
        done: Deferred[None] = Deferred()
        done.addErrback(told.append)
        post.outbox.add(message(number), done)
    assert [failure.type for failure in told] == [Unavailable]
    assert (len(post.unsent), post.outbox.failed) == (2, 1)
    post.opened()
    post.outbox.add(message(3))
    post.outbox.pump()
    assert post.sent == ["0", "1", "3"]


def test_the_age_is_that_of_the_first_one_that_is_not_confirmed() -> None:
    post = Post()
    assert post.outbox.status()["outbox_oldest_age"] is None
    post.reactor.advance(10)
    post.commit(4, 6)
    assert post.outbox.status()["outbox_oldest_age"] == 6
    post.bus.confirms_late = True
    post.opened()
    assert post.outbox.status()["outbox_oldest_age"] == 6
    post.bus.confirm_published(1)
    assert post.outbox.status()["outbox_oldest_age"] == 4


def test_the_end_sends_what_is_in_no_store_and_leaves_the_rest_there() -> None:
    post = Post()
    post.commit(1, 2)
    post.outbox.add(message(3))
    ended: list[None] = []
    post.outbox.finish(post.bus).addCallback(ended.append)
    assert (post.sent, ended, list(post.store.kept_out)) == (["3"], [None], [1, 2])


def test_the_end_does_not_wait_for_a_bus_that_is_away() -> None:
    post = Post().opened()
    post.bus.away = "away"
    post.outbox.add(message(1))
    ended: list[None] = []
    post.outbox.finish(post.bus).addCallback(ended.append)
    assert ended == [None]
    post.outbox.close()
    assert post.outbox.failed == 1
    assert post.log.lines()[-1].endswith("the hub stops: away")
    assert post.reactor.getDelayedCalls() == []
