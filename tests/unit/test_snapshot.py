"""The status document of one consumer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest
from twisted.internet.task import Clock

from hub.configuration.schema import Part
from hub.parts.queue_entry import NOBODY, Member
from hub.snapshot import consumer_status, not_ready, pinned_by
from hub.stats.counters import Counters, QueueStats
from hub.status.consumers import ConsumerStatus
from hub.store.memory import MemoryStore
from hub.store.queue_key import QueueId
from hub.workers.runtime import Runtime
from hub.workers.supervisor import Supervisor
from tests.support import wait_until
from tests.unit.doubles import Scripted, consumer_part, in_turn, make_consumers, messages, most, offer
from tests.unit.monitoring.snapshots import consumer


class Office:
    """The consumers, of which there is one, on a clock that stands still."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.store = MemoryStore()
        around = Runtime(self.clock.seconds, self.clock.seconds, most)
        self.consumers = make_consumers(around, self.store)
        self.supervisor = Supervisor(self.consumers.crews, self.clock.seconds)

    def start(self, part: Part, script: Callable[[Scripted], object] = lambda _: None) -> Member:
        consumer = self.consumers.prepare(part)
        assert isinstance(consumer, Scripted)
        script(consumer)
        self.consumers.start(part, consumer)
        return self.consumers.members[part.name]

    def status(self, member: Member, orphan: bool = False) -> Mapping[str, Any]:
        if orphan:
            member.drained_by = NOBODY
        found = consumer_status(member, self.supervisor, self.clock.seconds(), None)
        msgspec.convert(found, ConsumerStatus)  # or it raises: it is not what its type says
        return found


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    yield made
    for name in list(made.consumers.members):
        made.consumers.stop_crew(name)
    assert all(crew.gone.wait(10) for crew in made.consumers.leaving)


def started(member: Member) -> Member:
    assert member.crew.started.wait(10)
    return member


def worked(member: Member) -> None:
    """It has been seen to settle ten a second, of a thousand."""
    for second in range(11):
        stats = QueueStats(Counters(received=1000, finished=10 * second), 1, 0, None)
        member.rates.sample(float(second), stats, float(second))


def test_a_consumer_with_nothing_to_do(office: Office) -> None:
    status = office.status(started(office.start(consumer_part("c", topics=["a.#"], threads=2))))
    assert status["state"] == "running"
    assert (status["topics"], status["threads"], status["backlog"], status["error"]) == (["a.#"], 2, 0, None)


def test_what_is_not_known_is_none_and_not_zero(office: Office) -> None:
    status = office.status(started(office.start(consumer_part("c"))))
    unknown = ["oldest_age", "rate_in", "rate_out"]
    assert [status[name] for name in unknown] == [None] * len(unknown)
    assert status["consume_time"] == {"p50": None, "p95": None, "p99": None}


def test_that_nothing_waits_is_known_and_when_something_will_be_done_is_not(office: Office) -> None:
    member = started(office.start(consumer_part("c")))
    told = [office.status(member)[name] for name in ("trend", "catch_up_seconds", "catch_up_at")]
    assert told == ["idle", 0.0, 0.0]
    office.consumers.stop_crew("c")
    assert member.crew.gone.wait(10)
    offer(member.queue, messages(1))
    told = [office.status(member)[name] for name in ("trend", "catch_up_seconds", "catch_up_at")]
    assert told == ["unknown", None, None]


def test_no_hour_is_told_while_a_message_hangs_for_longer_than_the_rest_will_take(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = started(office.start(consumer_part("c")))
    office.consumers.stop_crew("c")
    assert member.crew.gone.wait(10)
    worked(member)
    offer(member.queue, messages(10))
    assert office.status(member)["catch_up_seconds"] == pytest.approx(1.0)
    monkeypatch.setattr(office.supervisor, "hung_for", lambda crew, usual: 0.9)
    assert office.status(member)["catch_up_seconds"] == pytest.approx(1.0)
    monkeypatch.setattr(office.supervisor, "hung_for", lambda crew, usual: 1.1)
    assert (office.status(member)["catch_up_seconds"], office.status(member)["trend"]) == (None, "unknown")


def test_the_counts_are_those_of_the_queue(office: Office) -> None:
    def script(consumer: Scripted) -> None:
        consumer.script = {"1": [KeyError("x")]}

    member = office.start(consumer_part("c", max_attempts=1), script)
    offer(member.queue, messages(3))
    wait_until(lambda: member.queue.stats().counters.backlog == 0)
    status = office.status(member)
    names = ["received", "received_bytes", "finished", "failed", "retried", "dead", "dropped", "dead_lost"]
    assert [status[name] for name in names] == [3, 6, 2, 1, 0, 1, 0, 0]
    assert status["consume_time"]["p50"] is not None


def test_the_age_of_the_oldest_and_the_hour_at_which_it_catches_up(office: Office) -> None:
    member = started(office.start(consumer_part("c")))
    office.consumers.stop_crew("c")
    assert member.crew.gone.wait(10)
    offer(member.queue, messages(10))
    office.clock.advance(100.0)
    worked(member)
    status = office.status(member)
    assert status["state"] == "stopped"
    assert status["oldest_age"] == 100.0
    assert status["catch_up_seconds"] == pytest.approx(1.0), "the ten that there are, not the 900 of the last sample"
    assert status["catch_up_at"] == pytest.approx(101.0)


def test_an_orphan_has_nobody_to_catch_up(office: Office) -> None:
    member = started(office.start(consumer_part("c")))
    office.consumers.stop_crew("c")
    assert member.crew.gone.wait(10)
    worked(member)
    assert office.status(member, orphan=True)["trend"] == "idle"
    offer(member.queue, messages(10))
    assert office.status(member, orphan=True)["trend"] == "unknown"


def test_the_words_go_with_the_numbers(office: Office) -> None:
    member = started(office.start(consumer_part("c")))
    status = office.status(member)
    assert [status[key] for key in ("condition", "caught_up", "caught_up_kind")] == ["running", "now", "clear"]
    assert status["held"] is False
    member.queue.pause()
    offer(member.queue, messages(1))
    status = office.status(member)
    words = [status[key] for key in ("condition", "caught_up", "caught_up_detail")]
    assert words == ["paused", "paused", "until resumed"]
    assert status["held"] is True


def test_an_age_is_never_negative_where_clocks_differ(office: Office) -> None:
    member = started(office.start(consumer_part("c")))
    office.consumers.stop_crew("c")
    assert member.crew.gone.wait(10)
    offer(member.queue, [messages(6)[5]])
    assert office.status(member)["oldest_age"] == 0.0


def test_an_orphan_has_no_threads(office: Office) -> None:
    member = started(office.start(consumer_part("c")))
    office.consumers.stop_crew("c")
    office.consumers.remove(["c"])
    status = office.status(member, orphan=True)
    assert (status["state"], status["threads"]) == ("orphan", 0)


class CanNotStart(Scripted):
    def start(self) -> None:
        raise OSError("no database")


def test_one_that_fails_to_start_says_why(office: Office) -> None:
    member = office.start(consumer_part("c", CanNotStart, backoff="1h", backoff_limit="1h"))
    wait_until(lambda: member.crew.start_error)
    status = office.status(member)
    assert (status["state"], status["error"]) == ("failing to start", "OSError: no database")


def test_one_that_hangs_is_stuck_and_one_that_blocks_is_full(office: Office) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def script(consumer: Scripted) -> None:
        consumer.on_consume = in_turn(begun.set, lambda: go_on.wait(10))

    member = office.start(consumer_part("c", max_backlog=1, overflow="block"), script)
    offer(member.queue, messages(3))
    assert begun.wait(10)
    assert office.status(member)["state"] == "full"
    office.clock.advance(3600.0)
    office.supervisor.round()
    assert office.status(member)["state"] == "stuck"
    go_on.set()


def test_all_of_it_goes_into_json(office: Office) -> None:
    status = office.status(started(office.start(consumer_part("c"))))
    assert msgspec.json.decode(msgspec.json.encode(status)) == status


def test_the_last_error_is_told_with_its_message(office: Office) -> None:
    def script(consumer: Scripted) -> None:
        consumer.script = {"1": [KeyError("user")]}

    member = office.start(consumer_part("c"), script)
    offer(member.queue, messages(3))
    wait_until(lambda: office.status(member)["last_error"])
    assert office.status(member)["last_error"] == {
        "time": 0.0,
        "error": "KeyError",
        "text": "'user'",
        "topic": "a.b",
        "message_id": "1",
        "attempt": 1,
    }


def test_each_thread_says_what_it_has_in_hand_and_for_how_long(office: Office) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def script(consumer: Scripted) -> None:
        consumer.on_consume = in_turn(begun.set, lambda: go_on.wait(10))

    member = started(office.start(consumer_part("c", threads=2), script))
    offer(member.queue, messages(1))
    assert begun.wait(10)
    office.clock.advance(7.0)
    rows = sorted(office.status(member)["workers"], key=lambda row: str(row["state"]))
    go_on.set()
    assert [row["state"] for row in rows] == ["busy", "idle"]
    assert (rows[0]["topic"], rows[0]["message_id"], rows[0]["seconds"]) == ("a.b", "0", 7.0)
    assert rows[1]["message_id"] is None


def test_one_that_is_paused_or_drained_says_so(office: Office) -> None:
    member = started(office.start(consumer_part("c")))
    member.queue.pause()
    offer(member.queue, messages(1))
    member.queue.drain()
    assert office.status(member)["state"] == "paused"
    member.queue.paused = False
    assert office.status(member)["state"] == "draining"
    member.queue.purge()
    assert office.status(member)["state"] == "drained"


def test_a_hub_is_ready_unless_there_is_a_reason() -> None:
    row = consumer()
    assert list(not_ready("running", {"c": row}, {"state": "ok"}, False, {})) == []
    assert list(not_ready("reloading", {"c": row}, {}, False, {})) == []
    rows = {"a": consumer(state="stuck"), "b": consumer(state="failing to start", error="OSError: no"), "c": row}
    rows["full"] = consumer(state="full")
    backends: dict[str, Any] = {"bus": {"not_ready": "no connection"}, "well": {"not_ready": None}, "old": {}}
    parts = {"backends": backends, "jobs": {"main": {"not_ready": "it restarts"}, "well": {}}}
    assert list(not_ready("starting", rows, {"state": "full", "reason": "no space"}, True, parts)) == [
        "the hub is drained: the buses are held back",
        "the hub is starting",
        "the store is full: no space",
        "backend bus is not connected: no connection",
        "database of jobs main is not connected: it restarts",
        "consumer a is stuck",
        "consumer b is failing to start: OSError: no",
    ]


def test_no_client_of_a_backend_makes_the_hub_unready() -> None:
    bad = [{"word": "losing", "level": "bad", "reason": "3 messages lost in the last minute"}]
    rows = {"mine": consumer(conditions=bad), "jobs": consumer(conditions=bad, declared=True)}
    assert list(not_ready("running", rows, {}, False, {})) == [
        "consumer mine is losing: 3 messages lost in the last minute"
    ]


def test_a_store_that_is_too_large_names_the_queue_that_most_of_it_is_for() -> None:
    why = "the store is larger than max_disk: the queues are full"
    assert list(not_ready("running", {}, {"squeezed": True}, False, {}, "jobs")) == [f"{why}; most of it waits in jobs"]
    assert list(not_ready("running", {}, {"squeezed": True}, False, {})) == [why]


def test_the_store_is_pinned_by_the_queues_with_the_oldest_messages() -> None:
    ages = {"a": 1.0, "b": 5.0, "c": None, "d": 3.0, "e": 2.0}
    rows = {name: {"durable": name != "d", "oldest_age": age} for name, age in ages.items()}
    assert pinned_by(rows) == [{"queue": "b", "age": 5.0}, {"queue": "e", "age": 2.0}, {"queue": "a", "age": 1.0}]


def test_nobody_knows_when_a_paused_consumer_will_have_caught_up(office: Office) -> None:
    member = started(office.start(consumer_part("c")))
    member.queue.pause()
    offer(member.queue, messages(10))
    worked(member)
    status = office.status(member)
    assert (status["catch_up_seconds"], status["catch_up_at"], status["trend"]) == (None, None, "unknown")


class LateStore(MemoryStore):
    """Its last commit was some time ago."""

    committed: Counters | None = None

    def shown(self, queue: QueueId) -> Counters | None:  # type: ignore[override]
        return self.committed


def test_counts_are_those_of_the_last_commit_and_the_backlog_is_what_may_come_again(office: Office) -> None:
    member = started(office.start(consumer_part("c", topics=["a.#"])))
    store = member.queue.stored._store = LateStore()
    store.committed = Counters(received=10, finished=2)
    status = office.status(member)
    assert (status["received"], status["finished"], status["backlog"]) == (10, 2, 8)
    store.committed = Counters(received=10, finished=10)
    member.queue.pause()
    offer(member.queue, messages(3))
    status = office.status(member)
    assert (status["received"], status["finished"], status["backlog"]) == (10, 10, 3)


def test_what_a_consumer_says_of_itself_is_told_and_of_an_orphan_nothing(office: Office) -> None:
    def script(consumer: Scripted) -> None:
        consumer.status = lambda: {"seen": len(consumer.seen)}  # type: ignore[method-assign]

    member = started(office.start(consumer_part("c"), script))
    assert office.status(member)["own"] == {"seen": 0}
    offer(member.queue, messages(2))
    wait_until(lambda: office.status(member)["own"] == {"seen": 2})
    assert office.status(started(office.start(consumer_part("plain"))))["own"] is None
