"""The writer's books: what is counted, renamed, restored and forgotten, each claim for itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.deadletter import DeadLetter
from hub.store import Journal, Outgoing, RoutedBatch, Share, Tie, Try
from hub.store import tables as t
from hub.store.durable import DurableStore
from hub.store.writer import MOST_PENDING
from tests.unit.doubles import RecordingLog, message, messages, outbox_of


class Bench:
    """A store that is stepped, and the journals of its queues."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = RecordingLog()
        self.journals: dict[str, Journal] = {}
        self.told: list[str] = []
        self.open()

    def open(self, *names: str) -> None:
        self.store = DurableStore(self.directory, self.log, threaded=False, sync=False)
        self.store.watch(lambda state, reason: self.told.append(state), lambda first, outbox: None)
        for name in names:
            self.queue(name)

    def queue(self, name: str) -> None:
        self.store.open(name)
        self.journals.setdefault(name, Journal())
        self.store.attach(name, lambda: self.take(name))

    def take(self, name: str) -> Journal:
        journal, self.journals[name] = self.journals[name], Journal()
        return journal

    def append(self, name: str, start: int, count: int, size: int = 2) -> None:
        batch = [message(start + at, body=b"x" * size) for at in range(count)]
        self.store.append(RoutedBatch(batch, [Share(name, start, None, batch)]), None)

    def step(self) -> None:
        assert self.store.writer.step()

    def restart(self) -> None:
        self.store.close()
        self.journals.clear()
        self.open()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.queue("one")
    made.queue("two")
    made.step()
    yield made
    made.store.close()


def test_after_too_much_waited_it_is_told_once_that_the_disk_keeps_up_again(bench: Bench) -> None:
    big = MOST_PENDING // 2
    for position in range(3):
        bench.append("one", position, 1, big)
    assert bench.told == ["behind"]
    assert bench.store.condition()[0] == "behind"
    bench.step()
    assert bench.told == ["behind", "ok"]
    bench.step()
    assert bench.told == ["behind", "ok"]


def test_a_queue_has_its_own_tries_after_a_restart_and_not_those_of_the_next_one(bench: Bench) -> None:
    for name, tries in (("one", Try(1, 1)), ("two", Try(3, 3, kills=2))):
        bench.append(name, 0, 3)
        bench.journals[name].tries[1] = tries
    bench.step()
    bench.restart()
    assert bench.store.open("one").tries == {1: Try(1, 1)}
    assert bench.store.open("two").tries == {1: Try(3, 3, kills=2)}


def test_a_flush_is_told_once_and_forgotten(bench: Bench) -> None:
    told: list[int] = []
    for number in range(3):
        bench.store.when_stored(lambda number=number: told.append(number))  # type: ignore[misc]
    bench.step()
    bench.step()
    assert told == [0, 1, 2]
    assert bench.store.writer._flushes == []


def test_what_all_have_finished_before_its_commit_is_spared_and_the_rest_written(bench: Bench) -> None:
    bench.append("one", 0, 2)
    bench.append("one", 2, 2)
    bench.journals["one"].settled.append((0, 2))
    bench.step()
    status = bench.store.status()
    assert (status["pages_spared"], status["pages_written"], status["messages"]) == (1, 1, 4)
    assert bench.store.writer.pages_to_come == 2
    assert bench.store.tables.count("pages") == 1


def test_a_queue_that_is_renamed_goes_on_under_its_new_name_also_after_a_restart(bench: Bench) -> None:
    bench.append("one", 0, 2)
    bench.journals["one"].tries[0] = Try(2, 2)
    bench.step()
    bench.restart()
    bench.store.rename("one", "three")
    assert sorted(bench.store.queues()) == ["three", "two"]
    bench.queue("three")
    bench.journals["three"].settled.append((1, 2))
    bench.step()
    bench.restart()
    assert sorted(bench.store.queues()) == ["three", "two"]
    state = bench.store.open("three")
    assert (state.next_position, state.ranges, state.tries) == (2, [(1, 2)], {0: Try(2, 2)})


def test_an_open_queue_that_is_renamed_has_its_journal_fetched_under_the_new_name(bench: Bench) -> None:
    bench.append("one", 0, 1)
    bench.step()
    bench.store.rename("one", "three")
    assert sorted(bench.store.queues()) == ["one", "two"]
    bench.step()
    assert sorted(bench.store.queues()) == ["three", "two"]
    bench.journals["one"].settled.append((0, 1))
    bench.store.changed("three")
    bench.step()
    assert bench.store.settled("three", 0)


def test_a_rename_takes_its_tries_along_before_it_is_opened(bench: Bench) -> None:
    bench.append("one", 0, 1)
    bench.journals["one"].tries[0] = Try(2, 2)
    bench.step()
    bench.restart()
    bench.store.rename("one", "three")
    assert bench.store.open("three").tries == {0: Try(2, 2)}


def test_kept_dead_letters_are_those_that_nobody_has_removed(bench: Bench) -> None:
    bench.append("one", 0, 3)
    for position in range(3):
        bench.journals["one"].letters.append(DeadLetter(message(position), "why", 1, 5.0))
        bench.journals["one"].ties.append(Tie(position, position + 1, 1, 0))
    assert bench.store.kept_dead_letters("one") == 0
    bench.step()
    assert (bench.store.kept_dead_letters("one"), bench.store.kept_dead_letters("none")) == (3, 0)
    first = bench.store.dead_letters("one")[0].number
    bench.store.remove_letters("one", [first])
    assert bench.store.kept_dead_letters("one") == 2
    bench.step()
    assert bench.store.kept_dead_letters("one") == 2


def test_a_damaged_outgoing_message_is_told_and_costs_no_other(bench: Bench) -> None:
    bench.journals["one"].outbox += [Outgoing("bus", message(number)) for number in range(3)]
    bench.step()
    tables = bench.store.tables
    with tables.writing() as transaction:
        value = bytearray(transaction.get(t.number_key(2), db=tables.outbox))
        value[-1] ^= 1
        transaction.put(t.number_key(2), bytes(value), db=tables.outbox)
    assert [(number, one.id) for number, one in outbox_of(bench.store)] == [(1, "0"), (3, "2")]
    assert any("an outgoing message is damaged" in line for line in bench.log.lines())


def test_of_the_past_the_page_at_which_to_stop_is_not_given(bench: Bench) -> None:
    bench.append("one", 0, 1)
    bench.append("one", 1, 1)
    bench.append("one", 2, 1)
    bench.step()
    found = list(bench.store.history("one", 1, 3))
    assert [(after, [one.id for one, _ in kept]) for after, kept in found] == [(2, ["0"]), (3, ["1"])]
    bench.journals["one"].settled.append((1, 2))
    bench.step()
    found = list(bench.store.history("one", 1, 3))
    assert [(after, [one.id for one, _ in kept]) for after, kept in found] == [(2, ["0"])]


def test_a_batch_that_brings_messages_leaves_the_whole_reserve(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of it is for messages that end, which no commit that brings some may use."""
    grown: list[int] = []

    def grow(length: int, missing: int) -> int:
        grown.append(missing)
        return missing

    monkeypatch.setattr(bench.store.tables, "_grow", grow)
    bench.store.tables._spare = 0
    bench.store.tables.reserve(1 << 24)
    bench.store.tables._spare = 0
    bench.store.tables.reserve(1 << 24, ends=True)
    assert grown[0] - grown[1] == t.RESERVE // 2


def test_messages_are_counted_with_their_commit(bench: Bench) -> None:
    commits = bench.store.status()["commits"]
    bench.store.append(RoutedBatch(messages(3), []), None)
    bench.step()
    status = bench.store.status()
    assert (status["commits"] - commits, status["messages"]) == (1, 3)


def test_a_commit_takes_the_time_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    now = [100.0]
    store = DurableStore(tmp_path, RecordingLog(), threaded=False, sync=False, monotonic=lambda: now[0])
    writing = store.tables.writing

    def slow() -> Any:
        now[0] += 8.0
        return writing()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store.tables, "writing", slow)
        store.open("one")
        assert store.writer.step()
    assert store.status()["commit_seconds"]["p99"] == pytest.approx(8.0, rel=0.1)
    store.close()


def test_each_commit_adds_to_what_was_counted(bench: Bench) -> None:
    before = bench.store.status()
    for position in range(2):
        bench.append("one", 2 * position, 2)
        bench.append("two", position, 1)
        bench.journals["two"].settled.append((position, position + 1))
        bench.step()
    after = bench.store.status()
    grown = [after[name] - before[name] for name in ("commits", "messages", "pages_written", "pages_spared")]
    assert grown == [2, 6, 2, 2]


def test_a_queue_that_is_deleted_has_no_journal_any_more(bench: Bench) -> None:
    bench.restart()
    bench.queue("one")
    bench.store.delete("one")
    bench.store.delete("two")  # which nobody has opened
    bench.step()
    assert (list(bench.store.writer.journals), bench.store.queues()) == ([], [])
    assert not bench.store.writer.is_doomed("one")


def test_the_numbers_of_a_queue_that_is_not_open_are_those_of_its_last_commit(bench: Bench) -> None:
    bench.append("one", 0, 3)
    bench.journals["one"].tries[1] = Try(1, 1)
    bench.step()
    bench.restart()
    stats = bench.store.stats("one")
    assert (stats.counters.received, stats.counters.backlog, stats.in_flight, stats.delayed) == (3, 3, 0, 1)
    stats.counters.received += 1  # a copy
    assert bench.store.stats("one").counters.received == 3


def test_outgoing_messages_that_can_not_be_read_do_not_count(bench: Bench) -> None:
    bench.journals["one"].outbox += [Outgoing("bus", message(number)) for number in range(3)]
    bench.step()
    with bench.store.tables.writing() as transaction:
        transaction.put(t.number_key(2), b"damaged", db=bench.store.tables.outbox)
    assert bench.store.outbox_counts() == ({"bus": 2}, 3)
