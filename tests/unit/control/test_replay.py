"""The verb that gives kept messages again: what it answers, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hub.control import replay as replaying
from hub.control.audit import AUDIT_FILE
from hub.control.replay import ReplayOrder
from hub.errors import OrderRefused, Unavailable
from hub.message import Message
from hub.parts.queue_entry import QueueEntry
from hub.queue.policy import OverflowMode, QueuePolicy
from hub.queue.queue import Queue
from tests.conftest import ReactorThread
from tests.support import wait_until
from tests.unit.control_hub import ControlledHub
from tests.unit.doubles import message, messages, offer
from tests.unit.requests import ask

ORDER = {"consumer": "c", "since": 0.0, "until": 100.0}


@pytest.fixture
def hub(reactor_thread: ReactorThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlledHub]:
    """Its store has five messages, each in a page of its own."""
    made = ControlledHub(reactor_thread, tmp_path / "hub.sock")
    monkeypatch.setattr(made.store, "kept", lambda *_: iter([[(message(number), number)] for number in range(5)]))
    made.listen()
    yield made
    made.close()


def replay(hub: ControlledHub, **more: object) -> list[dict[str, Any]]:
    return list(hub.client().post_lines("/replay", {**ORDER, **more}))


def received(hub: ControlledHub) -> int:
    return hub.consumers.members["c"].queue.stats().counters.received


def test_the_last_line_says_that_it_is_done(hub: ControlledHub) -> None:
    assert replay(hub)[-1] == {"replayed": 5, "at": 4.0, "done": True}
    assert received(hub) == 5


@pytest.mark.parametrize("overflow", ["drop_newest", "drop_oldest", "block"])
def test_what_a_full_queue_does_not_take_is_told_and_not_counted_by_it(
    hub: ControlledHub, overflow: OverflowMode
) -> None:
    queue = hub.consumers.members["c"].queue
    queue.adopt(QueuePolicy(max_backlog=2, overflow=overflow))
    assert replay(hub)[-1] == {"replayed": 2, "at": 4.0, "not_taken": 3, "done": True}
    assert replay(hub)[-1]["not_taken"] == 3
    counters = queue.stats().counters
    assert (counters.received, counters.dropped, counters.backlog) == (2, 0, 2)
    assert noted(hub)[1] == "done: 2 messages, 3 more did not fit into its queue"


def test_one_that_waits_gives_the_rest_when_there_is_room(hub: ControlledHub) -> None:
    queue = hub.consumers.members["c"].queue
    queue.adopt(QueuePolicy(max_backlog=2))
    steps = replaying.replay(hub, ReplayOrder("c", 0.0, 100.0), waits=True)
    given = []
    for step in steps:
        given.append((step.given, step.not_taken))
        if given[-2:] == [(2, 1)] * 2:
            taken = queue.take(1, timeout=0)
            assert taken is not None
            queue.finish(taken, 1)
            queue.adopt(QueuePolicy())
    assert given == [(1, 0), (2, 0), (2, 1), (2, 1), (3, 0), (4, 0), (5, 0)]


def test_it_is_done_when_the_disk_has_it(hub: ControlledHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.store, "when_stored", lambda call: None)
    monkeypatch.setattr("hub.control.hub.STORE_TIMEOUT", 0.05)
    assert replay(hub)[-1] == {"replayed": 5, "at": 4.0, "stored": False, "done": True}
    assert noted(hub) == ["begun", "done, but not on the disk yet: 5 messages"]


def test_what_is_not_settled_is_left_out(hub: ControlledHub) -> None:
    queue = hub.consumers.members["c"].queue
    offer(queue, messages(4))
    taken = queue.take(2, timeout=0)
    assert taken is not None
    queue.finish(taken, 1)  # 0 is settled, 1 in hand, 2 and 3 wait; 4 has not come to this queue yet
    queue.acks.settle(4, 5)
    done = {"replayed": 2, "at": 4.0, "left_out": 3, "done": True}
    assert replay(hub, dry_run=True)[-1] == done
    assert replay(hub)[-1] == done
    assert received(hub) == 4 + 2
    assert noted(hub) == ["counted 2 messages, gave none", "begun", "done: 2 messages"]


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ({"since": 0.1}, "'since' is in the future"),
        ({"since": -1.0, "until": -1.1}, "'until' is before 'since'"),
    ],
)
def test_times_at_which_nothing_can_have_come_are_refused(
    hub: ControlledHub, times: dict[str, float], why: str
) -> None:
    assert ask(hub.path, "POST", "/replay", json.dumps({**ORDER, **times}).encode()).status == 400
    with pytest.raises(OrderRefused, match=why):
        replay(hub, dry_run=True, **times)
    assert [outcome.startswith(f"refused: {why}") for outcome in noted(hub)] == [True, True]


def test_a_declared_queue_gets_what_its_topics_or_those_of_the_order_match(hub: ControlledHub) -> None:
    queues = {name: Queue(name, QueuePolicy(), hub.store, lambda: 0.0, lambda: 0.0) for name in ("bound", "jobs")}
    hub.queues.add(QueueEntry.of(queues["bound"], "stomp", ["a.*"]))
    hub.queues.add(QueueEntry.of(queues["jobs"], "stomp"))
    assert replay(hub, consumer="bound")[-1]["replayed"] == 5
    assert replay(hub, consumer="jobs", topics=["x"])[-1]["replayed"] == 0
    assert replay(hub, consumer="jobs", topics=["a.b"])[-1]["replayed"] == 5
    with pytest.raises(OrderRefused, match="'jobs' is a queue without topics: name those that it shall get"):
        replay(hub, consumer="jobs")
    assert [queue.stats().counters.received for queue in queues.values()] == [5, 5]


def test_what_comes_after_it_has_begun_is_not_replayed(hub: ControlledHub, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def kept(*order: object) -> Iterator[Any]:
        asked.append(order)
        return iter(())

    monkeypatch.setattr(hub.store, "kept", kept)
    replay(hub)
    assert asked == [(0.0, 0.0, "c")]  # it is 0.0 now


def test_the_stores_whole_status_is_not_taken_for_each_page(
    hub: ControlledHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(hub.store, "status", lambda: asked.append("status"))
    assert replay(hub)[-1]["done"]
    assert asked == []


def test_a_drained_consumer_is_given_nothing(hub: ControlledHub) -> None:
    hub.client().post("/drain", {"consumer": "c"})
    with pytest.raises(OrderRefused, match="c is drained and takes no messages in: resume it first"):
        replay(hub)
    assert ask(hub.path, "POST", "/replay", json.dumps(ORDER).encode()).status == 409
    assert replay(hub, dry_run=True)[-1]["replayed"] == 5
    assert received(hub) == 0
    hub.client().post("/resume", {"consumer": "c"})
    assert replay(hub)[-1]["done"]


def pages(hub: ControlledHub, then: Any) -> Iterator[Sequence[tuple[Message, None]]]:
    """Something happens after the second one."""
    yield [(message(0), None)]
    yield [(message(1), None)]
    then()
    yield [(message(2), None)]


def noted(hub: ControlledHub) -> list[str]:
    """What the audit log has of replays."""
    entries = [json.loads(line) for line in (hub.path.parent / AUDIT_FILE).read_text().splitlines()]
    return [entry["outcome"] for entry in entries if entry["action"] == "replay"]


def test_one_that_is_drained_meanwhile_says_why_it_ends(hub: ControlledHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub.store, "kept", lambda *_: pages(hub, lambda: hub.holds.drain(hub.queues.member("c"))))
    lines = ask(hub.path, "POST", "/replay", json.dumps(ORDER).encode()).read().splitlines()
    problem = "c is drained and takes no messages in: resume it first"
    assert json.loads(lines[-1]) == {"replayed": 2, "at": 1.0, "problems": [problem]}
    assert (received(hub), hub.consumers.members["c"].queue.stats().counters.dropped_drained) == (2, 0)
    assert noted(hub) == ["begun", f"ended after 2 messages: {problem}"]
    hub.holds.resume(hub.queues.member("c"))
    with pytest.raises(OrderRefused, match="c is drained"):
        replay(hub)


def test_one_that_fails_hangs_up(hub: ControlledHub, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("the disk")

    monkeypatch.setattr(hub.store, "kept", lambda *_: pages(hub, fail))
    with pytest.raises(Unavailable):
        replay(hub)
    assert noted(hub) == ["begun", "failed after 2 messages: OSError: the disk"]


def test_a_client_that_hangs_up_ends_it_and_that_is_written_down(
    hub: ControlledHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless() -> Iterator[Sequence[tuple[Message, None]]]:
        while True:
            yield [(message(0), None)]

    monkeypatch.setattr(hub.store, "kept", lambda *_: endless())
    lines = hub.client().post_lines("/replay", {**ORDER, "dry_run": True})
    next(lines)
    lines.close()  # type: ignore[attr-defined]
    wait_until(lambda: (hub.path.parent / AUDIT_FILE).exists() and noted(hub))
    assert [outcome.startswith("the client hung up after ") for outcome in noted(hub)] == [True]
