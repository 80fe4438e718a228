"""Declared queues outlive the hub and its backends, and their names are nobody else's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from twisted.trial.unittest import SynchronousTestCase

from hub.errors import ConfigError, HubError
from hub.message import Message
from hub.parts.consumers import DECLARED
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.store.fsck.rewrite import rewrite
from tests.unit.doubles import backend_part, consumer_part
from tests.unit.parts.halls import Hall, ids

# -- over the end of the hub


def test_a_durable_queue_is_reopened_with_its_bindings_and_messages(open_hall: Callable[..., Hall]) -> None:
    first = open_hall()
    queue = first.declare(topics=["a.#"], kind="queue", limits={"max_backlog": 3, "max_age": 60.0})
    first.put(queue, 1)
    first.commit()
    first.kill()
    second = open_hall(backends=())
    second.receive("a.x", 2, 3, 4)
    row = second.row()
    assert (row["backlog"], row["topics"], row["drained_by"]) == (3, ["a.#"], "nobody")
    assert ([one["word"] for one in row["conditions"]], row["type"]) == (["not read"], "queue")
    second.commit()
    second.kill()
    third = open_hall()
    assert third.backend().context.queues.names() == ["q"]
    again = third.backend().context.queues.get("q")
    assert ids(third.reader(again).take(9)) == ["1", "2", "3"]
    assert third.row()["drained_by"] == "stomp"


def test_what_was_given_back_keeps_its_place_at_the_front(open_hall: Callable[..., Hall]) -> None:
    first = open_hall()
    queue = first.declare()
    first.put(queue, *range(9))
    reader = first.reader(queue)
    taken = reader.take(6)
    reader.give_back(taken[1::2], delivered=True)
    reader.give_back(taken[::2], delivered=True)
    first.commit()
    first.kill()
    second = open_hall()
    reader = second.reader(second.declare())
    assert [ids(reader.take(2)) for _ in range(5)] == [["0", "1"], ["2", "3"], ["4", "5"], ["6", "7"], ["8"]]


def test_the_declaration_is_on_the_disk_before_the_first_message(open_hall: Callable[..., Hall]) -> None:
    first = open_hall()
    first.declare("p")
    first.commit()
    first.put(first.declare("q"), 1)
    first.kill()  # neither q nor its message was committed
    second = open_hall()
    assert second.store.queues() == ["p"]
    queue = second.declare("q", topics=["a"])
    second.put(queue, 1, tokens=["t"])
    second.commit()
    queue.bind("b")  # committed later
    second.kill()
    third = open_hall()
    assert third.row("q")["topics"] == ["a"]
    assert third.row("q")["backlog"] == 1


def test_one_in_memory_is_gone_with_the_hub_and_with_its_backend(hall: Hall) -> None:
    kept = hall.declare("kept", topics=["a"])
    reader = hall.reader(kept)
    hall.put(hall.declare("gone", durable=False, topics=["b"]), 1)
    hall.retire()
    assert [entry.name for entry in hall.queues.all()] == ["kept"]
    assert hall.row("kept")["drained_by"] == "nobody"
    assert reader.take(9) == []
    hall.receive("b", 2)
    assert hall.enqueuer.counters.unrouted == 1


def test_a_backend_that_does_not_start_leaves_none_in_memory(hall: Hall) -> None:
    part = backend_part("other")
    prepared = hall.backends.prepare(part)

    def start(intake: object) -> None:
        prepared.context.queues.declare("q", durable=False)  # type: ignore[attr-defined]
        raise HubError("address in use")

    prepared.start = start  # type: ignore[method-assign]
    SynchronousTestCase().failureResultOf(hall.backends.start(part, prepared), HubError)
    assert hall.queues.all() == []


def test_the_next_instance_of_a_backend_has_its_durable_queues(hall: Hall) -> None:
    hall.put(hall.declare(), 1)
    part = backend_part("stomp", fingerprint="v2")
    successor = hall.backends.prepare(part)
    hall.retire()
    hall.backends.start(part, successor)
    queue = hall.backend().context.queues.get("q")
    queue.put([Message("2", "q", b"")], ["t"])
    hall.commit()
    assert hall.confirmed() == ["t"]
    assert ids(hall.reader(queue).take(9)) == ["1", "2"]


def test_one_whose_declaration_can_not_be_read_is_an_orphan(
    open_hall: Callable[..., Hall], caplog: pytest.LogCaptureFixture
) -> None:
    first = open_hall()
    first.store.declare("q", b"{")
    first.commit()
    first.kill()
    with caplog.at_level(logging.ERROR):
        assert open_hall().row()["state"] == "orphan"
    assert [one.name for one in caplog.records if "q can't be read" in one.getMessage()] == ["hubbub.hub.queues"]


# -- names


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a\n", "x" * 201, "refused by bus", "*", "a.#", "a>", "a?b=1"])
def test_some_names_are_no_names(hall: Hall, name: str) -> None:
    for durable in (True, False):
        with pytest.raises(HubError, match="can't be the name of a queue"):
            hall.declare(name, durable)
    assert hall.store.queues() == []


def test_a_consumer_keeps_its_name(hall: Hall) -> None:
    part = consumer_part("c")
    hall.consumers.start(part, hall.consumers.prepare(part))
    for durable in (True, False):
        with pytest.raises(HubError, match="queue of a consumer"):
            hall.declare("c", durable)
    assert hall.consumers.stop_crew("c").gone.wait(10)
    hall.consumers.remove(["c"])
    for durable in (True, False):
        with pytest.raises(HubError, match="former consumer: delete it first"):
            hall.declare("c", durable)


def test_no_consumer_gets_the_name_of_a_declared_queue(hall: Hall) -> None:
    hall.declare("c")
    with pytest.raises(ConfigError, match="declared queue: rename the consumer, or delete the queue first"):
        hall.consumers.prepare(consumer_part("c"))
    part = consumer_part("d", renamed_from="c")
    hall.consumers.start(part, hall.consumers.prepare(part))
    assert hall.consumers.take_problems() == [f"consumers.d.renamed_from: 'c' {DECLARED}"]
    assert hall.consumers.stop_crew("d").gone.wait(10)


def test_a_name_is_free_again_when_its_queue_is_deleted(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    def flush(timeout: float) -> bool:
        hall.commit()
        return True

    monkeypatch.setattr(hall.store, "flush", flush)  # in a hub, the writer's thread commits
    queue = hall.declare("c")
    hall.put(queue, "old")
    hall.commit()
    queue.delete()
    assert hall.declare("c").backlog == 0


def test_an_orphan_of_the_store_is_nobody_elses(hall: Hall) -> None:
    seconds = hall.reactor.seconds
    Queue("old", QueuePolicy(), hall.store, seconds, seconds)
    with pytest.raises(HubError, match="former consumer"):
        hall.declare("old")


def test_another_backend_gets_it_only_if_the_first_does_not_run(open_hall: Callable[..., Hall]) -> None:
    hall = open_hall(backends=("stomp", "other"))
    hall.declare("q")
    assert hall.backend("other").context.queues.get("q") is None
    with pytest.raises(HubError, match="declared by backend 'stomp'"):
        hall.declare("q", backend="other")
    hall.retire()
    hall.backends.remove(["stomp"])
    queue = hall.declare("q", backend="other")
    assert hall.backend("other").context.queues.names() == ["q"]
    hall.put(queue, 1, tokens=["t"])
    hall.commit()
    assert hall.confirmed("other") == ["t"]


def test_it_is_declared_again_with_other_limits_but_not_in_another_place(hall: Hall) -> None:
    queue = hall.declare(limits={"max_backlog": 1})
    hall.put(queue, 1)
    assert hall.declare(limits={"max_backlog": 2}) is queue
    assert hall.put(queue, 2, 3).full == [1]
    with pytest.raises(HubError, match="is durable, it can't be declared in memory"):
        hall.declare(durable=False)
    hall.declare("m", durable=False)
    with pytest.raises(HubError, match="is in memory, it can't be declared durable"):
        hall.declare("m")


def test_a_repaired_store_still_has_its_declaration(open_hall: Callable[..., Hall], tmp_path: Path) -> None:
    first = open_hall()
    queue = first.declare(topics=["a"])
    first.put(queue, 1, 2, delays=[30.0, 0.0])
    first.commit()
    first.end()
    repaired = rewrite(tmp_path, 1000.0, keep=False)
    assert (repaired.problems, repaired.left) == ([], [])
    second = open_hall()
    assert (second.row()["topics"], second.row()["delayed"], second.row()["backlog"]) == (["a"], 1, 2)
