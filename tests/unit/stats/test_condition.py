"""What an operator must know of a consumer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from hub.stats.condition import CONDITIONS, Condition, Facts, conditions, rows
from hub.stats.outcomes import Outcomes, Recent
from hub.stats.reading import held, level, told, words


def recent(*readings: Outcomes, every: float = 1.0) -> Recent:
    made = Recent()
    for number, outcomes in enumerate([Outcomes(), *readings]):
        made.sample(number * every, outcomes)
    return made


def found(readings: Iterable[Outcomes] = (), **facts: Any) -> list[str]:
    known: dict[str, Any] = {"state": "running", "recent": recent(*readings), "now": 5.0} | facts
    return [f"{one.level} {one}" for one in conditions(Facts(**known))]


def test_nothing_about_one_clients_queue_is_worse_than_a_warning() -> None:
    lost = [Outcomes(lost=3, failed=4)]
    assert [one.split()[:2] for one in found(lost)] == [["bad", "losing:"], ["bad", "failing:"]]
    assert [one.split()[:2] for one in found(lost, of_one_client=True)] == [["warn", "losing:"], ["warn", "failing:"]]
    assert found(state="full", of_one_client=True) == ["warn full: its queue has no room"]
    assert found(unread=True, of_one_client=True) == ["info not read: nobody reads the queue now; its messages wait"]


def test_a_consumer_that_does_well_runs() -> None:
    assert found([Outcomes(finished=100, failed=2)]) == ["ok running"]
    assert found(state="starting") == ["info starting"]


@pytest.mark.parametrize(
    ("outcomes", "error", "told"),
    [
        (
            Outcomes(failed=4),
            "OSError",
            "bad failing: 4 of 4 attempts since a message was last finished failed, the last with OSError",
        ),
        (
            Outcomes(asked=9, failed=1),
            "Retry",
            "bad retrying: 9 of 10 attempts since a message was last finished asked to be tried again, "
            "the last with Retry",
        ),
        (
            Outcomes(failed=60, rejected=40),
            "",
            "bad failing: 60 of 100 attempts since a message was last finished failed",
        ),
        (Outcomes(rejected=3), "", "bad rejecting: 3 of 3 attempts since a message was last finished were rejected"),
        (Outcomes(failed=10, finished=10), "", "warn failing: 10 of 20 attempts lately failed"),
        (Outcomes(failed=5, finished=5), "", "warn failing: 5 of 10 attempts lately failed"),
    ],
)
def test_attempts_that_do_badly_have_a_word_and_a_reason(outcomes: Outcomes, error: str, told: str) -> None:
    assert found([outcomes], error=error) == [told]


@pytest.mark.parametrize(
    "outcomes", [Outcomes(failed=2), Outcomes(failed=9, finished=10), Outcomes(failed=4, finished=4), Outcomes()]
)
def test_a_few_bad_attempts_are_tried_again_and_are_no_condition(outcomes: Outcomes) -> None:
    assert found([outcomes]) == ["ok running"]


def test_bad_attempts_are_told_for_as_long_as_something_waits_to_be_tried_again() -> None:
    late: dict[str, Any] = {"recent": recent(Outcomes(asked=3)), "now": 1000.0}
    assert found(**late) == ["ok running"]
    assert found(**late, delayed=1)[0].startswith("bad retrying: 3 of 3")


@pytest.mark.parametrize(("now", "first"), [(1060.0, "bad failing: 3 of 3"), (1060.1, "ok running")])
def test_where_nothing_waits_they_are_told_for_a_minute(now: float, first: str) -> None:
    late = Recent()
    late.sample(999.0, Outcomes())
    late.sample(1000.0, Outcomes(failed=3))
    assert found(recent=late, now=now)[0].startswith(first)


def test_messages_that_are_lost_are_told_whatever_else_there_is() -> None:
    lost = [Outcomes(finished=1, lost=1)]
    assert found(lost) == ["bad losing: 1 message lost in the last minute"]
    assert found(lost, state="paused") == ["bad losing: 1 message lost in the last minute", "info paused"]
    assert found([Outcomes(lost=7)], state="orphan") == ["bad losing: 7 messages lost in the last minute", "off orphan"]


def test_states_have_their_reasons() -> None:
    assert found(state="failing to start", start_error="OSError") == [
        "bad failing to start: start() failed with OSError"
    ]
    assert found(state="failing to start") == ["bad failing to start"]
    assert found(state="stuck", stuck=45.4) == ["bad stuck: a thread has been busy with one message for 45 s"]
    assert found(state="full") == ["bad full: its queue has no room"]
    assert found(state="of another version") == ["bad of another version"]


def test_a_queue_that_holds_its_bus_up_says_so() -> None:
    assert found(holds_up="it sends no more") == ["warn holding up: it sends no more"]


def test_ticks_that_fail_are_told_until_one_succeeds() -> None:
    assert found(tick_failures=1, tick_error="KeyError") == [
        "warn ticking badly: the last call of tick() failed with KeyError"
    ]
    assert found(tick_failures=3, tick_error="KeyError")[0].startswith("warn ticking badly: the last 3 calls of tick()")


def test_a_backlog_that_grows_is_told_once_it_is_more_than_a_few() -> None:
    assert found(trend="falling_behind", backlog=9) == ["ok running"]
    assert found(trend="falling_behind", backlog=10) == [
        "warn falling behind: messages come faster than they are handled"
    ]
    assert found(trend="falling_behind", backlog=10, state="stuck") == ["bad stuck"]


@pytest.mark.parametrize(
    ("state", "orders", "said"),
    [
        ("paused", ["paused"], ["paused"]),
        ("draining", ["draining"], ["draining"]),
        ("drained", ["draining"], ["drained"]),
        ("stuck", ["draining"], ["stuck", "draining"]),
        ("failing to start", ["paused"], ["failing to start", "paused"]),
    ],
)
def test_an_order_is_told_where_the_state_does_not_tell_it(state: str, orders: list[str], said: list[str]) -> None:
    assert [one.word for one in conditions(Facts(state, Recent(), 0.0, orders=orders))] == said
    row = {"state": state, "paused": "paused" in orders, "draining": "draining" in orders}
    assert held(row)
    assert words(row) == ", ".join(said)  # of a hub that tells no conditions


def test_the_worst_comes_first_and_gives_the_level() -> None:
    facts = Facts("running", recent(Outcomes(failed=5, lost=1)), 1.0, orders=["paused"], tick_failures=1)
    order = [one.word for one in conditions(facts)]
    assert order == ["losing", "failing", "ticking badly", "paused"]
    assert order == sorted(order, key=CONDITIONS.index)
    row = {"conditions": rows(conditions(facts))}
    assert (words(row), level(row)) == ("losing, failing, ticking badly, paused", "bad")
    assert told(row)[3] == {"word": "paused", "level": "info", "reason": ""}


def test_a_condition_reads_as_its_word_and_its_reason() -> None:
    assert (str(Condition("full", "bad", "no room")), str(Condition("full", "bad"))) == ("full: no room", "full")
