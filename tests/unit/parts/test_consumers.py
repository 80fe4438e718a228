"""Who joins and who leaves, with real crews."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from hub.configuration.schema import Part
from hub.consumer import Context
from hub.errors import ConfigError, HubError
from hub.parts.consumers import Consumers
from hub.parts.policies import crew_policy, queue_policy
from hub.queue.queue import Queue
from hub.router import Router
from hub.store.memory import MemoryStore
from hub.workers.runtime import Runtime
from tests.support import wait_until
from tests.unit.doubles import Scripted, ScriptedBatches, consumer_part, make_consumers, messages, none_at_all
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
def consumers() -> Iterator[Consumers]:
    around = Runtime(time.monotonic, time.time, none_at_all)
    made = make_consumers(around, MemoryStore(), holds_back=lambda: False)
    yield made
    for name in list(made.members):
        made.stop_crew(name)
    for crew in made.leaving:
        assert crew.gone.wait(10)


def routed(consumers: Consumers, topic: str) -> tuple[Queue, ...]:
    """The queues that a topic leads to."""
    router: Router[Queue] = Router()
    consumers.reroute(router)
    return router.route(topic)


def start(consumers: Consumers, part: Part) -> Any:
    consumer = consumers.prepare(part)
    consumers.start(part, consumer)
    assert consumers.members[part.name].crew.started.wait(10)
    return consumer


def update_overflow(consumers: Consumers, holds_back: bool) -> None:
    consumers._holds_back = lambda: holds_back
    consumers.update_overflow()


def leave(consumers: Consumers, name: str) -> None:
    assert consumers.stop_crew(name).gone.wait(10)


def backlog(consumers: Consumers, name: str) -> int:
    return consumers.members[name].queue.stats().counters.backlog


def offer(consumers: Consumers, name: str, count: int) -> None:
    offer_to(consumers.members[name].queue, messages(count))


def test_a_consumer_that_was_hired_gets_messages(consumers: Consumers) -> None:
    consumer = start(consumers, consumer_part("c"))
    offer(consumers, "c", 2)
    wait_until(lambda: backlog(consumers, "c") == 0)
    assert consumer.seen == ["0", "1"]


def test_a_changed_consumer_keeps_its_queue_and_its_numbers(consumers: Consumers) -> None:
    start(consumers, consumer_part("c"))
    before = consumers.members["c"]
    before.crew.replaced, before.crew.tick_failures = 3, 5
    offer(consumers, "c", 2)
    wait_until(lambda: backlog(consumers, "c") == 0)
    leave(consumers, "c")
    offer(consumers, "c", 2)
    consumer = start(consumers, consumer_part("c", fingerprint="v2", max_backlog=7))
    wait_until(lambda: backlog(consumers, "c") == 0)
    after = consumers.members["c"]
    assert after.queue is before.queue
    assert after.rates is before.rates
    assert after.queue.policy.max_backlog == 7
    assert after.queue.stats().counters.finished == 4
    wait_until(lambda: [sum(counts) for counts in after.crew.times()] == [4, 4])  # after the last is settled
    assert (after.crew.replaced, after.crew.tick_failures) == (3, 5)
    assert after.crew.busy(time.monotonic()) > before.crew.busy(time.monotonic()) > 0.0
    assert len(consumer.seen) == 2


def test_a_stopped_one_takes_messages_but_does_not_consume_them(consumers: Consumers) -> None:
    consumer = start(consumers, consumer_part("c"))
    leave(consumers, "c")
    offer(consumers, "c", 3)
    assert backlog(consumers, "c") == 3
    assert consumer.seen == []


def test_a_removed_one_becomes_an_orphan_with_its_messages(consumers: Consumers) -> None:
    start(consumers, consumer_part("c"))
    leave(consumers, "c")
    offer(consumers, "c", 3)
    consumers.remove(["c"])
    assert routed(consumers, "a.b") == ()
    assert consumers.patterns() == []
    assert consumers.orphans["c"].queue.stats().counters.backlog == 3


@pytest.mark.parametrize("durable", [True, False])
def test_a_bus_need_not_keep_what_an_orphan_has_on_the_disk(
    consumers: Consumers, monkeypatch: pytest.MonkeyPatch, durable: bool
) -> None:
    start(consumers, consumer_part("c"))
    leave(consumers, "c")
    offer(consumers, "c", 3)
    queue, told = consumers.members["c"].queue, list[Any]()
    monkeypatch.setattr(queue, "durable", durable)
    assert queue.announcer.watch(0, 3, told.append) == [(0, 3)]
    consumers.remove(["c"])
    assert told == ([[(0, 3)]] if durable else [])
    assert queue.announcer.watch(0, 3, told.append) == ([] if durable else [(0, 3)])
    start(consumers, consumer_part("c"))
    wait_until(lambda: backlog(consumers, "c") == 0)
    offer(consumers, "c", 1)
    assert not queue.announcer.excused


def test_an_orphan_that_comes_back_finds_its_messages(consumers: Consumers) -> None:
    start(consumers, consumer_part("c"))
    leave(consumers, "c")
    offer(consumers, "c", 3)
    consumers.remove(["c"])
    consumer = start(consumers, consumer_part("c"))
    wait_until(lambda: backlog(consumers, "c") == 0)
    assert consumer.seen == ["0", "1", "2"]
    assert consumers.orphans == {}


@pytest.mark.parametrize(
    ("cls", "problem"),
    [
        (Unmakeable, "consumers.c: Unmakeable() failed: KeyError('no such table')"),
        (Misconfigured, "consumers.c: the database is of another version"),
        (Exits, "consumers.c: Exits() failed: SystemExit(3)"),
    ],
)
def test_a_constructor_that_raises_is_an_error_of_configuration_and_changes_nothing(
    consumers: Consumers, cls: type[Any], problem: str
) -> None:
    start(consumers, consumer_part("c"))
    before = dict(consumers.members)
    with pytest.raises(ConfigError) as caught:
        consumers.prepare(consumer_part("c", cls, fingerprint="v2"))
    assert caught.value.problems == [problem]
    assert consumers.members == before
    assert consumers.members["c"].crew.workers[0][1].is_alive()


def test_the_router_and_the_subscriptions_are_those_of_the_members(consumers: Consumers) -> None:
    start(consumers, consumer_part("one", topics=["a.#", "b"]))
    start(consumers, consumer_part("two", topics=["b"]))
    one, two = consumers.members["one"].queue, consumers.members["two"].queue
    assert consumers.patterns() == ["a.#", "b"]
    assert routed(consumers, "b") == (one, two)
    assert routed(consumers, "a.x") == (one,)


def test_a_change_of_the_members_leaves_the_routes_of_others_alone(consumers: Consumers) -> None:
    router: Router[Queue | str] = Router([(["a.b"], "of somebody else")])
    start(consumers, consumer_part("one", topics=["a.#"]))
    start(consumers, consumer_part("two", topics=["b"]))
    one, two = consumers.members["one"].queue, consumers.members["two"].queue
    consumers.reroute(router)  # type: ignore[arg-type]
    assert (router.route("a.b"), router.route("b")) == (("of somebody else", one), (two,))
    known = router.route("b")
    leave(consumers, "one")
    consumers.remove(["one"])
    consumers.reroute(router)  # type: ignore[arg-type]
    assert router.route("a.b") == ("of somebody else",)
    assert router.route("b") is known


def test_a_crew_that_is_gone_is_looked_after_no_more(consumers: Consumers) -> None:
    start(consumers, consumer_part("c"))
    crew = consumers.stop_crew("c")
    assert crew.gone.wait(10)
    consumers.remove(["c"])
    assert consumers.crews() == []


def test_a_full_queue_that_blocks_is_told(consumers: Consumers) -> None:
    start(consumers, consumer_part("c", max_backlog=1, overflow="block"))
    leave(consumers, "c")
    offer(consumers, "c", 2)
    assert consumers.queues.full()
    consumers.remove(["c"])
    assert not consumers.queues.full()


def test_dead_letters_are_limited_as_configured(consumers: Consumers) -> None:
    consumer = consumers.prepare(part := consumer_part("c", max_dead=1, max_attempts=1))
    assert isinstance(consumer, Scripted)
    consumer.script = {"0": [KeyError("x")], "1": [KeyError("y")]}
    consumers.start(part, consumer)
    offer(consumers, "c", 2)
    wait_until(lambda: consumers.members["c"].queue.stats().counters.dead == 2)
    assert [letter.message.id for letter in consumers.members["c"].queue.stored.dead_letters()] == ["1"]


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


def overflows(consumers: Consumers) -> list[str]:
    return [member.queue.policy.overflow for member in consumers.members.values()]


def test_auto_goes_by_the_buses_that_are_there_now(consumers: Consumers) -> None:
    start(consumers, consumer_part("c", overflow="auto", max_backlog=7))
    start(consumers, consumer_part("fixed", overflow="drop_oldest"))
    assert overflows(consumers) == ["drop_newest", "drop_oldest"]
    update_overflow(consumers, True)
    start(consumers, consumer_part("later", overflow="auto"))
    assert overflows(consumers) == ["block", "drop_oldest", "block"]
    update_overflow(consumers, False)
    assert overflows(consumers) == ["drop_newest", "drop_oldest", "drop_newest"]
    assert consumers.members["c"].queue.policy.max_backlog == 7


def test_a_full_queue_holds_up_no_bus_once_one_of_them_drops_what_is_not_read(consumers: Consumers) -> None:
    update_overflow(consumers, True)
    start(consumers, consumer_part("c", overflow="auto", max_backlog=2))
    consumers.members["c"].queue.pause()
    offer(consumers, "c", 3)
    assert consumers.queues.full()
    update_overflow(consumers, False)
    assert not consumers.queues.full()


def test_a_class_with_consume_batch_is_given_batches_and_others_are_not() -> None:
    batches = crew_policy(consumer_part("c", ScriptedBatches, batch_size=7, batch_wait=2.0)).worker
    single = crew_policy(consumer_part("c", Scripted, batch_size=7, batch_wait=2.0)).worker
    assert (batches.batch_size, batches.batch_wait) == (7, 2.0)
    assert (single.batch_size, single.batch_wait) == (None, 0.0)
