"""The messages of one id, wherever the store has them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.message import Message
from hub.store import Found, RoutedBatch, Share, search
from hub.store import tables as t
from hub.store.durable import DurableStore
from tests.unit.doubles import RecordingLog, letter_of, message, messages
from tests.unit.store.bench import Bench

KEEP = 3600.0


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, keep=KEEP)
    made.queue("q")
    made.queue("other")
    yield made
    made.store.close()


def find(bench: Bench, id_: str, since: float = 0.0) -> list[Found]:
    return [one for step, _ in bench.store.find(id_, since) for one in step]


def places(bench: Bench, id_: str) -> list[list[tuple[str, int]]]:
    return [sorted(one.places) for one in find(bench, id_)]


def test_it_is_found_on_its_way_to_the_disk_and_on_it(bench: Bench) -> None:
    bench.deliver(messages(5))
    before = places(bench, "3")
    bench.step()
    assert before == places(bench, "3") == [[("other", 3), ("q", 3)]]


def test_a_queue_that_wants_some_of_a_batch_has_positions_of_its_own(bench: Bench) -> None:
    batch = messages(6)
    bench.enqueuer.deliver(batch, [(bench.queues["q"], [1, 3, 5]), (bench.queues["other"], [0, 1])], 12, None)
    before = [places(bench, str(number)) for number in range(6)]
    bench.step()
    assert [places(bench, str(number)) for number in range(6)] == before
    assert before == [[[("other", 0)]], [[("other", 1), ("q", 0)]], [[]], [[("q", 1)]], [[]], [[("q", 2)]]]


def test_what_a_full_queue_did_not_take_is_not_in_it() -> None:
    batch = RoutedBatch(messages(3), [Share("q", 7, [0], messages(1))])
    found = [one for step in search.pending([batch], "2") for one in step]
    assert [one.places for one in found] == [[]]


def test_the_newest_is_found_first(bench: Bench) -> None:
    for number in range(5):
        bench.deliver([Message("same", "a.b", str(number).encode())])
        bench.step()
    assert [one.message.body for one in find(bench, "same")] == [b"4", b"3", b"2", b"1", b"0"]


def test_what_all_are_done_with_is_found_as_long_as_it_is_kept(bench: Bench) -> None:
    bench.deliver([message(1)])
    bench.step()
    bench.drain("q")
    bench.drain("other")
    bench.step()
    assert len(find(bench, "1")) == 1
    bench.clock.advance(KEEP + 60)
    bench.store.writer.history._looked_at = -1e9
    bench.step()
    assert find(bench, "1") == []


def test_what_was_stored_before_is_not_looked_at(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "STEP_BYTES", 1)
    for number in range(10):
        bench.deliver([message(number)])
        bench.step()
        bench.clock.advance(100)
    assert find(bench, "1", since=bench.clock.seconds() - 250) == []
    reached = [at for _, at in bench.store.find("none", bench.clock.seconds() - 250)]
    assert len(reached) == 4
    assert reached == sorted(reached, reverse=True)
    assert [at for _, at in bench.store.find("none", 0.0)][-1] == float("-inf")


def test_how_far_it_has_come_is_known_also_where_all_are_done_with_the_messages(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "STEP_BYTES", 1)
    times = []
    for number in range(4):
        bench.deliver([message(number)])
        bench.step()
        times.append(bench.clock.seconds())
        bench.clock.advance(100)
    before = [at for _, at in bench.store.find("none", 0.0)]
    bench.drain("q")
    bench.drain("other")
    bench.step()
    assert [at for _, at in bench.store.find("none", 0.0)] == before
    assert before == [times[-1] + 100, *reversed(times), float("-inf")]


def test_an_id_that_is_only_mentioned_is_not_it(bench: Bench) -> None:
    bench.deliver([Message("1", "a.b", b'{"answers": "2026-xyz"}', {"re": "2026-xyz"})])
    bench.step()
    assert find(bench, "2026-xyz") == []


@pytest.mark.parametrize("id_", ["é\n\x1b", "'", "x" * 256])
def test_ids_of_all_kinds_are_found(bench: Bench, id_: str) -> None:
    bench.deliver([Message(id_, "a.b", b"{}")])
    bench.step()
    assert len(find(bench, id_)) == 1


def test_a_damaged_page_is_said_and_passed_over(tmp_path: Path) -> None:
    tables, log = t.Tables(tmp_path), RecordingLog()
    with tables.writing() as transaction:
        transaction.put(t.number_key(1), b"an id in a wreck", db=tables.pages)
        transaction.put(t.place_key(1, 1), b"an id in a wreck", db=tables.letters)
    found = search.Search(tables, lambda: {1: "q"}, log)
    assert [step for step, _ in found.pages("an id", 0.0)] == [[]]
    assert list(found.letters("an id")) == [[]]
    assert log.actions() == ["damaged", "damaged"]
    tables.close()


def test_dead_letters_are_found_in_short_steps(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "STEP_BYTES", 1)
    bench.deliver(messages(4))
    for _ in range(4):
        taken = bench.take(1)
        bench.queues["q"].bury(taken, True, letter_of(taken))
    bench.step()
    steps = list(bench.store.find_letters("2"))
    assert len(steps) == 5
    assert [(queue, letter.message.id) for step in steps for queue, letter in step] == [("q", "2")]


def test_of_a_queue_that_belongs_to_nobody_it_is_known_whether_it_is_settled(bench: Bench) -> None:
    bench.deliver(messages(3))
    bench.finish(1)
    bench.step()
    bench.store.close()
    store = DurableStore(bench.directory, logging.LoggerAdapter(logging.getLogger("test")), keep=KEEP)
    assert [store.settled("q", position) for position in range(3)] == [True, False, False]
    bench.store = store  # type: ignore[assignment]


def test_what_is_pending_is_searched_in_steps_of_bounded_size() -> None:
    half = RoutedBatch(messages(search.STEP_MESSAGES // 2), [])
    found = [[one.message.id for one in step] for step in search.pending([half] * 5, "7")]
    assert found == [["7", "7"], ["7", "7"], ["7"]]
