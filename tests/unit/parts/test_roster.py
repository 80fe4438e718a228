"""Who joins and who leaves, with real crews."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.configuration.schema import Part
from hub.consumer import Context
from hub.errors import ConfigError, HubError
from hub.parts.roster import Roster, crew_policy, queue_policy
from hub.store.memory import MemoryStore
from hub.workers.worker import Surroundings
from tests.support import wait_until
from tests.unit.doubles import Scripted, ScriptedBatches, consumer_part, messages, none_at_all
from tests.unit.doubles import offer as offer_to


class Unmakeable(Scripted):
    def __init__(self, context: Context) -> None:
        raise KeyError("no such table")


class Misconfigured(Scripted):
    def __init__(self, context: Context) -> None:
        raise HubError("the database is of another version")


class Exits(Scripted):
    def __init__(self, context: Context) -> None:
        raise SystemExit(3)


@pytest.fixture
def roster() -> Iterator[Roster]:
    around = Surroundings(time.monotonic, time.time, none_at_all)
    store = MemoryStore()
    made = Roster(around, store, store, lambda *_: None, Path("/nonexistent"), lambda: None, holds_back=False)
    yield made
    for name in list(made.members):
        made.stop(name)
    for crew in made.leaving:
        assert crew.gone.wait(10)


def hire(roster: Roster, part: Part) -> Any:
    consumer = roster.make(part)
    roster.hire(part, consumer)
    assert roster.members[part.name].crew.started.wait(10)
    return consumer


def leave(roster: Roster, name: str) -> None:
    assert roster.stop(name).gone.wait(10)


def backlog(roster: Roster, name: str) -> int:
    return roster.members[name].queue.stats().counters.backlog


def offer(roster: Roster, name: str, count: int) -> None:
    offer_to(roster.members[name].queue, messages(count))


def test_a_consumer_that_was_hired_gets_messages(roster: Roster) -> None:
    consumer = hire(roster, consumer_part("c"))
    offer(roster, "c", 2)
    wait_until(lambda: backlog(roster, "c") == 0)
    assert consumer.seen == ["0", "1"]


def test_a_changed_consumer_keeps_its_queue_and_its_numbers(roster: Roster) -> None:
    hire(roster, consumer_part("c"))
    before = roster.members["c"]
    before.crew.replaced, before.crew.tick_failures = 3, 5
    offer(roster, "c", 2)
    wait_until(lambda: backlog(roster, "c") == 0)
    leave(roster, "c")
    offer(roster, "c", 2)
    consumer = hire(roster, consumer_part("c", fingerprint="v2", max_backlog=7))
    wait_until(lambda: backlog(roster, "c") == 0)
    after = roster.members["c"]
    assert after.queue is before.queue
    assert after.rates is before.rates
    assert after.queue.policy.max_backlog == 7
    assert after.queue.stats().counters.finished == 4
    assert [sum(counts) for counts in after.crew.times()] == [4, 4]
    assert (after.crew.replaced, after.crew.tick_failures) == (3, 5)
    assert after.crew.busy(time.monotonic()) > before.crew.busy(time.monotonic()) > 0.0
    assert len(consumer.seen) == 2


def test_a_stopped_one_takes_messages_but_does_not_consume_them(roster: Roster) -> None:
    consumer = hire(roster, consumer_part("c"))
    leave(roster, "c")
    offer(roster, "c", 3)
    assert backlog(roster, "c") == 3
    assert consumer.seen == []


def test_a_removed_one_becomes_an_orphan_with_its_messages(roster: Roster) -> None:
    hire(roster, consumer_part("c"))
    leave(roster, "c")
    offer(roster, "c", 3)
    roster.dismiss("c")
    assert roster.router().route("a.b") == ()
    assert roster.patterns() == []
    assert roster.orphans["c"].queue.stats().counters.backlog == 3


def test_an_orphan_that_comes_back_finds_its_messages(roster: Roster) -> None:
    hire(roster, consumer_part("c"))
    leave(roster, "c")
    offer(roster, "c", 3)
    roster.dismiss("c")
    consumer = hire(roster, consumer_part("c"))
    wait_until(lambda: backlog(roster, "c") == 0)
    assert consumer.seen == ["0", "1", "2"]
    assert roster.orphans == {}


@pytest.mark.parametrize(
    ("cls", "problem"),
    [
        (Unmakeable, "consumers.c: Unmakeable() failed: KeyError('no such table')"),
        (Misconfigured, "consumers.c: the database is of another version"),
        (Exits, "consumers.c: Exits() failed: SystemExit(3)"),
    ],
)
def test_a_constructor_that_raises_is_an_error_of_configuration_and_changes_nothing(
    roster: Roster, cls: type[Any], problem: str
) -> None:
    hire(roster, consumer_part("c"))
    before = dict(roster.members)
    with pytest.raises(ConfigError) as caught:
        roster.make(consumer_part("c", cls, fingerprint="v2"))
    assert caught.value.problems == [problem]
    assert roster.members == before
    assert roster.members["c"].crew.workers[0][1].is_alive()


def test_the_router_and_the_subscriptions_are_those_of_the_members(roster: Roster) -> None:
    hire(roster, consumer_part("one", topics=["a.#", "b"]))
    hire(roster, consumer_part("two", topics=["b"]))
    one, two = roster.members["one"].queue, roster.members["two"].queue
    assert roster.patterns() == ["a.#", "b"]
    assert roster.router().route("b") == (one, two)
    assert roster.router().route("a.x") == (one,)


def test_a_crew_that_is_gone_is_looked_after_no_more(roster: Roster) -> None:
    hire(roster, consumer_part("c"))
    crew = roster.stop("c")
    assert crew.gone.wait(10)
    roster.dismiss("c")
    assert roster.crews() == []


def test_a_full_queue_that_blocks_is_told(roster: Roster) -> None:
    hire(roster, consumer_part("c", max_backlog=1, overflow="block"))
    leave(roster, "c")
    offer(roster, "c", 2)
    assert roster.full()
    roster.dismiss("c")
    assert not roster.full()


def test_dead_letters_are_limited_as_configured(roster: Roster) -> None:
    consumer = roster.make(part := consumer_part("c", max_dead=1, max_attempts=1))
    assert isinstance(consumer, Scripted)
    consumer.script = {"0": [KeyError("x")], "1": [KeyError("y")]}
    roster.hire(part, consumer)
    offer(roster, "c", 2)
    wait_until(lambda: roster.members["c"].queue.stats().counters.dead == 2)
    assert [letter.message.id for letter in roster.members["c"].queue.store.dead_letters("c")] == ["1"]


@pytest.mark.parametrize(
    ("configured", "holds_back", "policy"),
    [
        ("auto", True, "block"),
        ("auto", False, "drop_newest"),
        ("block", False, "block"),
        ("drop_oldest", True, "drop_oldest"),
    ],
)
def test_auto_blocks_only_where_every_bus_keeps_what_is_not_read(
    configured: str, holds_back: bool, policy: str
) -> None:
    assert queue_policy(consumer_part("c", overflow=configured).settings, holds_back).overflow == policy


def overflows(roster: Roster) -> list[str]:
    return [member.queue.policy.overflow for member in roster.members.values()]


def test_auto_goes_by_the_buses_that_are_there_now(roster: Roster) -> None:
    hire(roster, consumer_part("c", overflow="auto", max_backlog=7))
    hire(roster, consumer_part("fixed", overflow="drop_oldest"))
    assert overflows(roster) == ["drop_newest", "drop_oldest"]
    roster.suit(holds_back=True)
    hire(roster, consumer_part("later", overflow="auto"))
    assert overflows(roster) == ["block", "drop_oldest", "block"]
    roster.suit(holds_back=False)
    assert overflows(roster) == ["drop_newest", "drop_oldest", "drop_newest"]
    assert roster.members["c"].queue.policy.max_backlog == 7


def test_a_full_queue_holds_up_no_bus_once_one_of_them_drops_what_is_not_read(roster: Roster) -> None:
    roster.suit(holds_back=True)
    hire(roster, consumer_part("c", overflow="auto", max_backlog=2))
    roster.members["c"].queue.pause()
    offer(roster, "c", 3)
    assert roster.full()
    roster.suit(holds_back=False)
    assert not roster.full()


def test_a_class_with_consume_batch_is_given_batches_and_others_are_not() -> None:
    batches = crew_policy(consumer_part("c", ScriptedBatches, batch_size=7, batch_wait=2.0)).worker
    single = crew_policy(consumer_part("c", Scripted, batch_size=7, batch_wait=2.0)).worker
    assert (batches.batch_size, batches.batch_wait) == (7, 2.0)
    assert (single.batch_size, single.batch_wait) == (None, 0.0)
