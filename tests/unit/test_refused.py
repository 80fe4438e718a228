"""Input that can't be used: what is kept of it, how much at the most, and that it costs nobody else anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.deadletter import DeadLetter
from hub.message import HeaderValue, Message
from hub.queue.policy import QueuePolicy
from hub.queue.queue import Queue
from hub.refused import AT_ONCE, CUT, LONGEST_TEXT, MOST, MOST_BYTES, MOST_HEADERS, PREFIX, RefusedRings
from hub.store.durable import DurableStore
from tests.unit.doubles import RecordingLog, message


class Desk:
    """A store in which a queue and a ring are."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.open()

    def open(self) -> None:
        self.store = DurableStore(self.directory, RecordingLog(), threaded=False, sync=False)
        self.queue = Queue("c", QueuePolicy(), self.store, lambda: 0.0, lambda: 0.0)
        self.refused = RefusedRings(self.store)

    def add(self, count: int, body: bytes = b"{", backend: str = "bus") -> None:
        for number in range(count):
            one = Message(str(number), "a.b", body, {}, 1.0, backend)
            self.refused.add(DeadLetter(one, "no JSON", 0, 1.0))

    def step(self) -> None:
        assert self.store.writer.step()

    def kept(self, backend: str = "bus") -> list[DeadLetter]:
        return list(self.store.dead_letters(PREFIX + backend))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.store.close()


def test_a_flood_of_it_pushes_out_no_dead_letter(desk: Desk) -> None:
    desk.store.limit_dead_letters("c", 10)
    desk.queue.bury_unqueued(DeadLetter(message(1), "genuine", 1, 0.0))
    for _ in range(MOST // AT_ONCE + 5):
        desk.add(AT_ONCE)
        desk.step()
    assert [letter.reason for letter in desk.store.dead_letters("c")] == ["genuine"]
    assert len(desk.kept()) == MOST
    assert desk.refused.totals() == {"bus": MOST + 5 * AT_ONCE}


def test_nor_does_one_backends_push_out_anothers(desk: Desk) -> None:
    desk.add(3, backend="quiet")
    desk.add(200, b"{" + b"x" * 100_000)
    desk.step()
    assert len(desk.kept("quiet")) == 3


def test_large_bodies_are_cut_and_all_together_are_bounded(desk: Desk) -> None:
    for _ in range(20):
        desk.add(AT_ONCE, b"{" + b"x" * 1_000_000)
        desk.step()
    sizes = {len(letter.message.body) for letter in desk.kept()}
    assert sizes == {CUT}
    assert 100 < len(desk.kept()) <= MOST_BYTES // CUT
    assert desk.store.status()["used_bytes"] < 4 * MOST_BYTES


def test_so_are_texts_and_headers(desk: Desk) -> None:
    headers: dict[str, HeaderValue] = {f"{number}" + "n" * 2000: "v" * 2000 for number in range(100)}
    one = Message("i" * 2000, "t" * 2000, b"", headers, 1.0, "bus")
    desk.refused.add(DeadLetter(one, "no JSON", 0, 1.0))
    desk.step()
    (letter,) = desk.kept()
    kept = letter.message
    assert (len(kept.id), len(kept.topic), len(kept.headers)) == (LONGEST_TEXT, LONGEST_TEXT, MOST_HEADERS)
    assert {(len(name), len(str(value))) for name, value in kept.headers.items()} == {(LONGEST_TEXT, LONGEST_TEXT)}


def test_headers_that_are_no_texts_are_kept_as_they_are(desk: Desk) -> None:
    one = Message("1", "t", b"", {"severity": 20, "sure": True}, 1.0, "bus")
    desk.refused.add(DeadLetter(one, "no JSON", 0, 1.0))
    desk.step()
    assert desk.kept()[0].message.headers == {"severity": 20, "sure": True}


def test_what_is_refused_counts_as_received_and_dead(desk: Desk) -> None:
    desk.add(3)
    desk.step()
    counters = desk.store.shown(PREFIX + "bus")
    assert counters is not None
    assert (counters.received, counters.dead, counters.backlog) == (3, 3, 0)


def test_of_what_comes_between_two_commits_the_last_is_kept_and_all_is_counted(desk: Desk) -> None:
    desk.add(10 * AT_ONCE)
    desk.step()
    assert [letter.message.id for letter in desk.kept()] == [str(n) for n in range(9 * AT_ONCE, 10 * AT_ONCE)]
    assert desk.refused.totals() == {"bus": 10 * AT_ONCE}


def test_it_outlives_the_hub_with_its_count(desk: Desk) -> None:
    desk.add(3)
    desk.step()
    desk.store.close()
    desk.open()
    assert (desk.refused.totals(), len(desk.kept())) == ({"bus": 3}, 3)
    desk.add(1)
    assert desk.refused.totals() == {"bus": 4}
