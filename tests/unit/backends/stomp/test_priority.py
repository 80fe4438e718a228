"""The priority of messages to queues."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.backends.stomp.priority import priorities
from hub.message import HeaderValue, Message
from tests.unit.backends.stomp.bench import Bench, ack, send, subscribe


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_higher_ones_are_delivered_first_and_unacked_ones_go_back_to_their_place(bench: Bench) -> None:
    line = bench.line()
    line.write(*send("/queue/q", "a"), *send("/queue/q", "b", "c", priority="9"), *send("/queue/q", "d", priority="0"))
    line.write(*send("/queue/q", "e", priority="4"))
    first = subscribe(bench, prefetch_count="2")
    assert first.bodies() == ["b", "c"]
    line.write(*send("/queue/q", "f", priority="200"))
    first.hang_up()
    again = subscribe(bench)
    assert again.bodies() == ["b", "c", "f", "a", "e", "d"]


def test_they_are_passed_on_and_a_topic_has_no_order(bench: Bench) -> None:
    line = subscribe(bench, destination="/topic/a", ack="auto")
    bench.line().write(*send("/topic/a", 1, priority="urgent"), *send("/topic/a", 2, priority="9"))
    assert [(one.body, one.headers["priority"]) for one in line.messages()] == [(b"1", "urgent"), (b"2", "9")]


def test_answers_have_an_order_too(bench: Bench) -> None:
    asking, working = subscribe(bench, destination="/temp-queue/a"), bench.line()
    asking.write(*send("/queue/work", "?", reply_to="/temp-queue/a"))
    asking.frames()
    worker = subscribe(bench, destination="/queue/work")
    to = worker.messages()[0].headers["reply-to"]
    working.write(*send(to, "low", priority="1"), *send(to, "high", priority="8"))
    assert asking.bodies() == ["high", "low"]


@pytest.mark.parametrize("text", ["high", "-1", "1.5", ""])
def test_what_is_no_number_is_an_error(bench: Bench, text: str) -> None:
    line = bench.line()
    line.write(*send("/queue/q", 1, priority=text))
    assert line.error() == f"priority is {text!r}: expected a number from 0 to 9"
    assert bench.hall.declared.named("q") is None


@pytest.mark.parametrize(("value", "wanted"), [(7, 7), ("7", 7), (12, 9), (-3, 4), ("?", 4), (2.9, 2), (True, 1)])
def test_consumers_of_the_hub_name_one_as_they_like(value: HeaderValue, wanted: int) -> None:
    messages = [Message("1", "/queue/q", b"", {"priority": value}), Message("2", "/queue/q", b"")]
    assert priorities(messages) == [wanted, 4]
    assert priorities(messages[1:]) == ()


def test_they_outlive_a_kill(tmp_path: Path) -> None:
    first = Bench(tmp_path)
    line = first.line()
    line.write(*send("/queue/q", 1, 2), *send("/queue/q", 3, 4, priority="9", receipt="r"))
    first.commit()
    worker = subscribe(first, prefetch_count="1")
    assert worker.bodies() == ["3"]
    first.hall.kill()
    second = Bench(tmp_path)
    worker = subscribe(second)
    found = worker.messages()
    assert [one.body.decode() for one in found] == ["3", "4", "1", "2"]
    ack(worker, *(one.headers["ack"] for one in found))
    second.turn()
    assert second.backlog("q") == 0
    second.hall.end()
