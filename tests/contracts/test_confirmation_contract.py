"""What a bus is told, and when: after the commit, or after the work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from hub.enqueuer import PAGE_BYTES
from hub.message import Message
from hub.parts.queue_entry import QueueEntry
from hub.parts.queues import Queues
from hub.pipeline import Checks
from hub.queue.policy import QueuePolicy
from hub.store import Outgoing
from tests.contracts.confirming import POLICY, Confirm, Confirming
from tests.unit.stages import MemoryStage, SteppedPool


class Make(Protocol):
    def __call__(
        self, confirm: Confirm = "settled", policy: QueuePolicy = POLICY, deduplicate: bool = False
    ) -> Confirming: ...


@pytest.fixture(params=["durable", "memory"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes a hub, with a queue of each kind."""
    made: list[Confirming] = []

    def one(confirm: Confirm = "settled", policy: QueuePolicy = POLICY, deduplicate: bool = False) -> Confirming:
        made.append(Confirming(tmp_path, confirm, request.param == "durable", policy, deduplicate))
        return made[0]

    yield one
    made[0].close()


def test_stored_is_told_after_the_commit_whatever_becomes_of_the_message(make: Make) -> None:
    hub = make("stored")
    tokens = hub.deliver(3)
    hub.finish(1)
    assert hub.confirmed == []
    hub.commit()
    assert hub.confirmed == tokens
    assert "unconfirmed" not in hub.backends.status()["bus"]


def test_settled_is_told_after_the_work_and_waits_for_no_commit(make: Make) -> None:
    hub = make()
    tokens = hub.deliver(2)
    hub.commit()
    tokens += hub.deliver(1, first=2)
    assert (hub.confirmed, hub.unconfirmed) == ([], 3)
    hub.finish(2)
    assert (hub.confirmed, hub.unconfirmed) == (tokens[:2], 1)
    hub.finish(1)
    assert (hub.confirmed, hub.unconfirmed) == (tokens, 0)


def test_each_queue_must_have_settled_it(make: Make) -> None:
    hub = make()
    tokens = hub.deliver(2, "both.k")
    hub.finish()
    hub.commit()
    assert hub.confirmed == []
    hub.finish(1, hub.other)
    assert hub.confirmed == tokens[:1]
    hub.finish(1, hub.other)
    hub.commit()
    assert hub.confirmed == tokens


def test_a_message_that_no_queue_wants_is_told_as_ever(make: Make) -> None:
    hub = make()
    tokens = hub.deliver(2, "nobody's")
    assert hub.confirmed == []
    hub.commit()
    assert (hub.confirmed, hub.unconfirmed) == (tokens, 0)


def test_a_retry_keeps_it_waiting(make: Make) -> None:
    hub = make()
    tokens = hub.deliver(2)
    delivery = hub.take(1)
    hub.mine.retry(delivery, 5.0, failed=True)
    hub.finish()
    hub.commit()
    assert hub.confirmed == tokens[1:]
    hub.reactor.advance(5.0)
    hub.finish()
    hub.commit()
    assert hub.confirmed == [tokens[1], tokens[0]]


def test_a_dead_letter_is_told_once_it_is_kept(make: Make) -> None:
    hub = make()
    tokens = hub.deliver(1)
    hub.bury()
    assert hub.confirmed == ([] if hub.mine.durable else tokens)
    hub.commit()
    assert hub.confirmed == tokens
    assert len(hub.mine.stored.dead_letters()) == 1


def publish(hub: Confirming, count: int = 1, messages: int = 1) -> None:
    """Finish messages that publish others."""
    delivery = hub.take(count)
    outbox = [Outgoing("bus", Message(f"out-{number}", "out", b"{}")) for number in range(messages)]
    hub.mine.finish(delivery, count, outbox)


def test_a_message_that_publishes_is_told_when_what_it_published_is_safe(make: Make) -> None:
    """In the store's outbox, or else at its bus."""
    hub = make()
    tokens = hub.deliver(3)
    publish(hub, 2, messages=2)
    hub.finish(1)
    assert hub.confirmed == tokens[2:]
    hub.commit()
    assert sorted(hub.confirmed) == (tokens if hub.mine.durable else tokens[2:])
    assert (len(hub.store.outbox("bus", 0, 10).rows), len(hub.outgoing)) == ((2, 0) if hub.mine.durable else (0, 2))
    for outgoing in hub.outgoing:
        assert hub.unconfirmed == 2
        assert outgoing.sent is not None
        outgoing.sent(True)
    assert (sorted(hub.confirmed), hub.unconfirmed) == (tokens, 0)


def test_what_a_consumer_published_and_the_end_of_the_hub_lost_is_not_told_of(tmp_path: Path) -> None:
    hub = Confirming(tmp_path, durable=False)
    hub.deliver(1)
    publish(hub, messages=2)
    for safe, outgoing in zip((False, True), hub.outgoing, strict=True):
        assert outgoing.sent is not None
        outgoing.sent(safe)
    hub.commit()
    assert (hub.confirmed, hub.unconfirmed) == ([], 1)
    hub.close()


def test_a_duplicate_waits_for_what_the_first_copy_published(tmp_path: Path) -> None:
    hub = Confirming(tmp_path, durable=False, deduplicate=True)
    tokens = hub.deliver(1)
    publish(hub)
    tokens += hub.deliver(1)
    hub.commit()
    assert hub.confirmed == []
    (outgoing,) = hub.outgoing
    assert outgoing.sent is not None
    outgoing.sent(True)
    assert hub.confirmed == tokens
    hub.close()


def test_a_message_given_back_is_not_settled(make: Make) -> None:
    hub = make()
    hub.deliver(2)
    hub.mine.give_back(hub.take())
    hub.commit()
    assert (hub.confirmed, hub.unconfirmed) == ([], 2)


def test_drops_are_told_whatever_their_cause(make: Make) -> None:
    hub = make(policy=replace(POLICY, max_backlog=4, max_age=60.0))
    tokens = hub.deliver(6)
    hub.commit()
    assert hub.confirmed == tokens[4:]  # newest
    hub.mine.adopt(replace(hub.mine.policy, overflow="drop_oldest"))
    tokens += hub.deliver(2, first=6)
    hub.commit()
    assert hub.confirmed[2:] == tokens[:2]  # oldest
    hub.mine.purge()
    hub.commit()
    assert hub.confirmed[4:] == [*tokens[2:4], *tokens[6:]]
    hub.mine.drain()
    tokens += hub.deliver(1, first=8)
    hub.commit()
    assert hub.confirmed[8:] == tokens[8:]
    hub.mine.resume()
    tokens += hub.deliver(3, first=9)
    hub.reactor.advance(61.0)
    hub.mine.expire()
    hub.commit()
    assert (hub.confirmed[9:], hub.unconfirmed) == (tokens[9:], 0)
    assert hub.mine.stats().counters.dropped == 12


def test_more_than_the_window_holds_is_told_when_it_was_read_back_and_finished(make: Make) -> None:
    hub = make()
    tokens = [token for n in range(0, 60, 5) for token in hub.deliver(5, first=n)]
    hub.commit()
    while hub.mine.stats().counters.backlog:
        hub.finish(3)
    assert hub.confirmed == tokens


def test_a_large_batch_is_told_message_by_message(make: Make) -> None:
    hub = make()
    hub.bus.pause()
    tokens = [hub.bus.deliver("x.k", b"x" * (PAGE_BYTES // 3), id=f"m{number}") for number in range(9)]
    hub.bus.resume()
    for done in range(9):
        assert hub.finish(1) == [f"m{done}"]
        hub.commit()
        assert hub.confirmed == tokens[: done + 1]


def test_a_duplicate_waits_for_the_first_copy(make: Make) -> None:
    hub = make(deduplicate=True)
    first = hub.deliver(3, "both.k")
    hub.finish()
    hub.commit()
    again = hub.deliver(4, "both.k")
    hub.commit()
    assert (hub.confirmed, hub.unconfirmed) == ([], 7)
    hub.finish(2, hub.other)
    hub.commit()
    assert hub.confirmed == [first[0], again[0], first[1], again[1]]
    hub.finish(1)
    hub.finish(2, hub.other)
    hub.commit()
    assert sorted(hub.confirmed) == [*first, *again]


def test_a_duplicate_of_a_settled_message_is_told_at_once_and_one_in_the_same_batch_with_it(make: Make) -> None:
    hub = make(deduplicate=True)
    tokens = hub.deliver(1)
    hub.finish()
    tokens += hub.deliver(1)
    hub.commit()
    assert hub.confirmed == tokens
    hub.bus.pause()
    twice = [hub.bus.deliver("x.k", b"{}", id="twice") for _ in range(2)]
    hub.bus.resume()
    hub.commit()
    assert hub.confirmed == tokens
    hub.finish()
    hub.commit()
    assert hub.confirmed == [*tokens, *twice]


def test_what_the_bus_gives_again_after_a_reload_is_told_to_the_new_backend_alone(make: Make) -> None:
    hub = make(deduplicate=True)
    tokens = hub.deliver(2)
    hub.finish(1)
    old = hub.replace_backend()
    assert old.confirmed == tokens[:1]
    again = hub.deliver(1, first=1)
    hub.commit()
    assert hub.confirmed == []
    hub.finish()
    hub.commit()
    assert (old.confirmed, hub.confirmed, hub.unconfirmed) == (tokens[:1], again, 0)


def test_without_deduplicate_both_copies_are_handled(make: Make) -> None:
    hub = make()
    hub.deliver(1)
    old = hub.replace_backend()
    again = hub.deliver(1)
    assert hub.finish() == ["m0", "m0"]
    hub.commit()
    assert (old.confirmed, hub.confirmed) == ([], again)


def test_a_hub_that_stops_tells_what_is_finished_and_leaves_the_rest(make: Make) -> None:
    hub = make()
    tokens = hub.deliver(3)
    hub.finish(2)
    assert hub.backends.pause_told_after_work()
    stopped = hub.backends.stop(5.0)
    hub.commit()
    assert stopped.called
    hub.finish(1)
    hub.commit()
    assert hub.confirmed == tokens[:2]


def test_messages_that_a_stage_turns_away_are_told_as_ever(make: Make) -> None:
    hub = make()
    hub.retire_backend()
    pool = SteppedPool()
    hub.backends.checks_of = lambda part: Checks([MemoryStage()], pool.run)
    hub.bus = hub.start_backend()
    hub.bus.pause()
    tokens = [hub.bus.deliver(topic, b"{}") for topic in ("x.a", "drop.x", "x.b", "bury.x")]
    hub.bus.resume()
    pool.step()
    hub.commit()
    assert hub.confirmed == [tokens[1], tokens[3]]
    hub.finish()
    hub.commit()
    assert hub.confirmed[2:] == [tokens[0], tokens[2]]


def test_the_queue_of_a_consumer_that_is_gone_holds_the_bus_up_no_longer(make: Make) -> None:
    """On the disk its messages are safe; one in memory is waited for until it is deleted."""
    hub = make()
    tokens = hub.deliver(2)
    queues = Queues(hub.store)
    queues.orphans["mine"] = QueueEntry.of(hub.mine, "nobody")  # type: ignore[assignment]
    queues.delete("mine")
    hub.commit()
    assert (hub.confirmed, hub.unconfirmed) == (tokens, 0)
