"""Who is shown messages as they come, and what the buses are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from hub.message import Message
from hub.subscriptions import Subscriptions
from tests.unit.doubles import message, messages


class Desk:
    """Subscriptions, and what the buses were asked for."""

    def __init__(self) -> None:
        self.subscriptions = Subscriptions()
        self.asked: list[tuple[list[str], list[str]]] = []
        self.subscriptions.follow = lambda added, removed: self.asked.append(([*added], [*removed]))
        self.shown: list[list[str]] = []

    def sink(self, batch: Sequence[Message]) -> None:
        self.shown.append([one.topic for one in batch])

    def comes(self, *topics: str) -> None:
        self.subscriptions.show([message(1, topic) for topic in topics])


def test_a_sink_is_shown_its_share_of_a_batch_in_one_piece() -> None:
    desk = Desk()
    desk.subscriptions.add(["a.#"], desk.sink)
    desk.comes("a", "b", "a.c")
    desk.comes("b")
    assert desk.shown == [["a", "a.c"]]


def test_a_message_that_matches_by_several_patterns_is_shown_once() -> None:
    desk = Desk()
    desk.subscriptions.add(["a.#", "*.c"], desk.sink)
    desk.comes("a.c")
    assert desk.shown == [["a.c"]]


def test_patterns_come_and_go_one_by_one_and_the_buses_are_asked_so() -> None:
    desk = Desk()
    subscription = desk.subscriptions.add(["a"], desk.sink)
    subscription.add("b")
    subscription.add("b")
    subscription.remove("a")
    subscription.remove("a")
    desk.comes("a", "b")
    assert desk.shown == [["b"]]
    assert desk.asked == [(["a"], []), (["b"], []), ([], ["a"])]
    assert len(desk.subscriptions) == 1
    subscription.cancel()
    desk.comes("b")
    assert (desk.shown, desk.asked[-1], len(desk.subscriptions)) == ([["b"]], ([], ["b"]), 0)


def test_one_that_only_looks_on_asks_the_buses_for_nothing() -> None:
    desk = Desk()
    desk.subscriptions.add(["#"], desk.sink, asks_buses=False)
    desk.comes("a")
    assert (desk.shown, desk.asked) == ([["a"]], [])


def test_one_that_fails_harms_no_other_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()

    def fail(_: Sequence[Message]) -> None:
        raise KeyError("a bug")

    desk.subscriptions.add(["#"], fail)
    desk.subscriptions.add(["#"], desk.sink)
    desk.subscriptions.show(messages(1))
    assert desk.shown == [["a.b"]]
    assert "a subscriber failed" in caplog.text


def test_one_that_goes_while_it_is_shown_something_is_no_trouble() -> None:
    desk = Desk()
    first = desk.subscriptions.add(["#"], lambda _: first.cancel())
    desk.subscriptions.add(["#"], desk.sink)
    desk.comes("a")
    desk.comes("b")
    assert (desk.shown, len(desk.subscriptions)) == ([["a"], ["b"]], 1)
