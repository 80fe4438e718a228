"""Queues that a backend declares: in memory and on the disk, over kills, reloads and deletions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.errors import HubError
from hub.message import Message
from hub.parts.policies import MOST_BYTES_IN_MEMORY, MOST_IN_MEMORY
from tests.unit.doubles import consumer_part
from tests.unit.parts.halls import Hall, ids


@pytest.mark.parametrize("durable", [True, False])
def test_what_is_put_into_it_is_read_settled_and_counted(hall: Hall, durable: bool) -> None:
    queue = hall.declare(durable=durable)
    reader = hall.reader(queue)
    assert reader.take(9) == []
    assert hall.put(queue, 1, 2, 3).accepted == 3
    assert hall.ready == 1
    taken = reader.take(2)
    assert ids(taken) == ["1", "2"]
    reader.finish([taken[1], taken[0]])
    hall.commit()
    row = hall.row()
    assert (row["received"], row["finished"], row["backlog"], row["durable"]) == (3, 2, 1, durable)
    assert hall.enqueuer.counters.received == 3
    assert queue.backlog == 1


def test_who_reads_it_is_counted(hall: Hall) -> None:
    queue = hall.declare()
    assert hall.row()["readers"] == 0
    reader = hall.reader(queue)
    assert hall.row()["readers"] == 1
    reader.close()
    assert hall.row()["readers"] == 0


def test_it_is_not_routed_and_not_shown(hall: Hall) -> None:
    consumer = consumer_part("all", topics=["#"])
    hall.consumers.start(consumer, hall.consumers.prepare(consumer))
    hall.consumers.reroute(hall.enqueuer.router)
    shown: list[Message] = []
    hall.enqueuer.subscriptions.add(["#"], shown.extend)
    hall.put(hall.declare(), 1)
    assert (hall.row("all")["received"], shown, hall.enqueuer.counters.unrouted) == (0, [], 0)
    assert hall.consumers.stop_crew("all").gone.wait(10)


def test_tokens_of_a_durable_queue_are_confirmed_after_the_commit(hall: Hall) -> None:
    queue = hall.declare()
    hall.put(queue, 1, 2, tokens=["a", "b"])
    assert hall.confirmed() == []
    hall.commit()
    assert hall.confirmed() == ["a", "b"]


def test_tokens_of_a_queue_in_memory_are_confirmed_at_once(hall: Hall) -> None:
    hall.put(hall.declare(durable=False), 1, tokens=["a"])
    assert hall.confirmed() == ["a"]


def test_the_receipt_says_which_did_not_fit(hall: Hall) -> None:
    queue = hall.declare(limits={"max_backlog": 2})
    assert hall.put(queue, 1, 2, 3, 4).full == [2, 3]
    hall.commit()
    assert hall.row()["dropped_by"]["newest"] == 2


def test_a_large_batch_is_halved_and_the_receipt_counts_through(hall: Hall) -> None:
    queue = hall.declare(limits={"max_backlog": 3})
    body = b"x" * (200 << 10)
    queue.put([Message(str(n), "q", body) for n in range(5)], ["t"], hall.receipts.append)
    assert hall.receipts[0].full == [3, 4]
    hall.commit()
    assert hall.confirmed() == ["t"]


def test_the_oldest_are_dropped_where_that_is_declared(hall: Hall) -> None:
    queue = hall.declare(durable=False, limits={"max_backlog": 2, "overflow": "drop_oldest"})
    assert hall.put(queue, 1, 2, 3, 4).full == []
    assert ids(hall.reader(queue).take(9)) == ["3", "4"]


def test_a_queue_that_blocks_holds_the_buses_back_until_there_is_room(hall: Hall) -> None:
    queue = hall.declare(durable=False, limits={"max_backlog": 2, "overflow": "block"})
    hall.put(queue, 1, 2, 3)
    assert hall.flow.held_back
    reader = hall.reader(queue)
    reader.finish(reader.take(9))
    assert not hall.flow.held_back


def test_the_buses_are_released_in_the_reactors_thread(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """Room is made in the thread of who finishes."""
    calls: list[Callable[[], None]] = []
    monkeypatch.setattr(hall.reactor, "callFromThread", calls.append)
    queue = hall.declare(durable=False, limits={"max_backlog": 1, "overflow": "block"})
    hall.put(queue, 1, 2)
    reader = hall.reader(queue)
    reader.finish(reader.take(9))
    assert hall.flow.held_back
    for call in calls:
        call()
    assert not hall.flow.held_back


@pytest.mark.parametrize(
    ("durable", "limits", "most"),
    [
        (True, {}, (None, None)),
        (False, {}, (MOST_IN_MEMORY, MOST_BYTES_IN_MEMORY)),
        (False, {"max_backlog": 5, "max_bytes": 50}, (5, 50)),
        (True, {"max_backlog": 5, "max_bytes": 50}, (5, 50)),
    ],
)
def test_one_in_memory_is_bounded_also_where_no_limit_is_declared(
    hall: Hall, durable: bool, limits: dict[str, int], most: tuple[int | None, int | None]
) -> None:
    queue = hall.declare(durable=durable, limits=limits).entry.queue
    assert queue is not None
    assert (queue.policy.max_backlog, queue.policy.max_bytes) == most


def test_messages_that_are_tried_alone_are_so_in_all_queues(hall: Hall) -> None:
    one, two = (hall.declare(name).entry.queue for name in "pq")
    assert one is not None
    assert two is not None
    assert one.trial is two.trial


def test_one_that_blocks_releases_the_buses_when_it_is_deleted(hall: Hall) -> None:
    queue = hall.declare(limits={"max_backlog": 1, "overflow": "block"})
    hall.put(queue, 1, 2)
    assert hall.flow.held_back
    queue.delete()
    assert not hall.flow.held_back


# -- bindings


@pytest.mark.parametrize("durable", [True, False])
def test_bound_topics_are_routed_to_it_and_the_buses_are_asked_for_them(hall: Hall, durable: bool) -> None:
    queue = hall.declare(durable=durable, topics=["a.#"])
    queue.bind("b.*")
    queue.bind("b.*")
    assert hall.backend().calls[-2:] == [("subscribe", ["a.#"]), ("subscribe", ["b.*"])]
    hall.receive("a.x", 1)
    hall.receive("b.x", 2)
    hall.receive("c.x", 3)
    queue.unbind("a.#")
    queue.unbind("a.#")
    hall.receive("a.x", 4)
    assert hall.backend().calls[-1] == ("unsubscribe", ["a.#"])
    assert ids(hall.reader(queue).take(9)) == ["1", "2"]
    assert ([*queue.bindings], hall.row()["topics"]) == (["b.*"], ["b.*"])


def test_bindings_survive_a_reload_of_the_consumers(hall: Hall) -> None:
    queue = hall.declare(durable=False, topics=["a.#"])
    hall.consumers.reroute(hall.enqueuer.router)
    hall.backends.subscribe(hall.consumers.patterns())
    hall.receive("a.x", 1)
    assert queue.backlog == 1


@pytest.mark.parametrize("pattern", ["", "a b", "a\n"])
def test_what_is_no_pattern_is_not_bound(hall: Hall, pattern: str) -> None:
    with pytest.raises(HubError, match="topic pattern"):
        hall.declare(durable=False).bind(pattern)


def test_bindings_are_bounded(hall: Hall) -> None:
    queue = hall.declare(durable=False, topics=[f"a.{n}" for n in range(1000)])
    with pytest.raises(HubError, match="1000 bindings"):
        queue.bind("b")
    with pytest.raises(HubError, match="1000 bindings"):
        hall.declare("p", topics=[f"a.{n}" for n in range(1001)])


# -- deletion


def test_an_operator_deletes_it_and_its_owner_is_told(hall: Hall) -> None:
    queue = hall.declare(topics=["a"])
    hall.put(queue, 1)
    reader = hall.reader(queue)
    taken = reader.take(1)
    hall.queues.delete("q")
    assert hall.deleted == ["q"]
    reader.finish(taken)  # of a client that did not know yet
    assert reader.take(1) == []
    hall.commit()
    assert hall.store.queues() == []
    hall.receive("a", 2)
    for call in (lambda: queue.bind("b"), lambda: hall.put(queue, 3), lambda: hall.reader(queue), queue.delete):
        with pytest.raises(HubError, match="was deleted"):
            call()
    assert hall.put(hall.declare(), 4).accepted == 1
    hall.commit()
    assert hall.row()["received"] == 1


def test_its_owner_deletes_it_and_is_not_told(open_hall: Callable[..., Hall]) -> None:
    first = open_hall()
    first.declare().delete()
    assert first.deleted == []
    first.commit()
    first.kill()
    assert open_hall().queues.all() == []


def test_one_that_nobody_declares_any_more_can_be_deleted(open_hall: Callable[..., Hall]) -> None:
    first = open_hall()
    first.put(first.declare(), 1)
    first.commit()
    first.kill()
    second = open_hall(backends=())
    second.queues.delete("q")
    second.commit()
    second.kill()
    assert open_hall().queues.all() == []


# -- its reader


def test_it_has_one_reader_and_says_who_reads(hall: Hall) -> None:
    queue = hall.declare(durable=False)
    assert [one["word"] for one in hall.row()["conditions"]] == ["not read"]
    reader = hall.reader(queue)
    with pytest.raises(ValueError, match="listener"):
        hall.reader(queue)
    assert [one["word"] for one in hall.row()["conditions"]] == ["running"]
    assert hall.row()["drained_by"] == "stomp"
    reader.close()
    reader.close()
    assert hall.row()["drained_by"] == "nobody"
    assert hall.row()["caught_up"] == "now"
    hall.put(queue, 1)
    assert (hall.row()["caught_up"], hall.row()["caught_up_detail"]) == ("nobody reads it", "")
    assert ids(hall.reader(queue).take(9)) == ["1"]


def test_a_retry_comes_back_by_itself_when_it_is_due(hall: Hall) -> None:
    queue = hall.declare()
    reader = hall.reader(queue)
    hall.put(queue, 1)
    (taken,) = reader.take(9)
    reader.retry(taken, 30.0, "busy")
    assert reader.take(9) == []
    ready = hall.ready
    hall.reactor.advance(30.0)
    assert hall.ready == ready + 1
    (again,) = reader.take(9)
    assert (again.current.id, again.attempts) == ("1", 1)
    reader.bury(again, "no use")
    hall.commit()
    (letter,) = hall.queues.stored("q").dead_letters()
    assert (letter.message.id, letter.reason, letter.attempts) == ("1", "no use", 2)
    assert (hall.row()["rejected"], hall.row()["backlog"]) == (1, 0)


def test_a_message_that_is_put_off_has_not_failed(hall: Hall) -> None:
    queue = hall.declare()
    reader = hall.reader(queue)
    hall.put(queue, 1)
    for failed, failures in ((False, 0), (True, 1)):
        (taken,) = reader.take(9)
        reader.retry(taken, 30.0, "later", failed=failed)
        hall.reactor.advance(30.0)
        hall.commit()
        assert hall.row()["failed"] == failures
    (taken,) = reader.take(9)
    assert (taken.attempts, taken.failures) == (2, 1)


def test_one_that_was_given_back_is_found_by_its_position(hall: Hall) -> None:
    queue = hall.declare()
    reader = hall.reader(queue)
    hall.put(queue, 1, 2)
    taken = reader.take(9)
    assert [one.position for one in taken] == [0, 1]
    reader.give_back(taken, delivered=True)
    assert [one.position for one in reader.take(9)] == [0, 1]


def test_what_was_taken_alone_together_or_again_goes_back_in_order(hall: Hall) -> None:
    queue = hall.declare()
    reader = hall.reader(queue)
    hall.put(queue, 1, 2, 3, 4)
    (first,) = reader.take(1)
    reader.retry(first, 30.0, "later")
    (alone,) = reader.take(1)
    together = reader.take(2)
    hall.reactor.advance(30.0)
    (again,) = reader.take(1)
    reader.give_back([*together, again, alone], delivered=True)
    assert ids(reader.take(9)) == ["1", "2", "3", "4"]


def test_its_dead_letters_are_read_and_removed_by_number(hall: Hall) -> None:
    queue = hall.declare()
    reader = hall.reader(queue)
    hall.put(queue, 1, 2, 3)
    for taken in reader.take(9):
        reader.bury(taken, "no use")
    hall.commit()
    letters = queue.dead_letters(0, 1 << 20)
    assert [letter.message.id for letter in letters] == ["1", "2", "3"]
    assert [letter.message.id for letter in queue.dead_letters(letters[1].number, 1 << 20)] == ["3"]
    queue.remove_letters([letters[0].number, letters[2].number])
    hall.commit()
    assert [letter.message.id for letter in queue.dead_letters(0, 1 << 20)] == ["2"]


def test_its_backlog_on_the_disk_is_read_when_its_turn_comes(open_hall: Callable[..., Hall]) -> None:
    first = open_hall()
    queue = first.declare()
    for start in range(0, 20_000, 500):
        first.put(queue, *range(start, start + 500))
    first.commit()
    first.kill()
    second = open_hall()
    reader = second.reader(second.declare())
    found: list[str] = []
    while taken := reader.take(50) or reader.take(50):
        found += ids(taken)
        reader.finish(taken)
    assert found == [str(number) for number in range(20_000)]


def test_an_unknown_name_is_answered_with_a_few_of_many(hall: Hall) -> None:
    for number in range(23):
        hall.declare(f"q{number}", durable=False)
    with pytest.raises(HubError, match=r"'x': there are q0, q1, .*, q18, q19 and 3 more$"):
        hall.queues.entry("x")
