"""Replays: the log from a place on, then what comes; none missing, none twice; the thread that reads is stepped."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.message import Message
from hub.parts.replay import LogReplay, LogReplays, wanted_of
from hub.replays import ReplayedMessage, ReplayStart
from hub.store import PER_PAGE, log_reader
from tests.unit.backends.stomp.bench import Pool
from tests.unit.parts.halls import Hall


class Desk:
    """A hub's log with replays. :ivar ready: how often they had something. :ivar failed: why they ended."""

    def __init__(self, directory: Path) -> None:
        self.hall = Hall(directory, keep=1000.0)
        self.pool = Pool()
        self.hall.reactor.getThreadPool = lambda: self.pool  # type: ignore[attr-defined]
        replays = LogReplays.of(self.hall.store, self.hall.enqueuer, self.hall.reactor)
        assert replays is not None
        self.replays = replays
        self.ready = 0
        self.failed: list[str] = []
        self.sent = 0

    def open(self, place: Any = "first", number: float = 0, pattern: str = "a.#", **more: Any) -> LogReplay:
        def ready() -> None:
            self.ready += 1

        return self.replays.open(pattern, ReplayStart(place, number), ready, self.failed.append, **more)

    def send(self, count: int = 1, topic: str = "a.b", commit: bool = True) -> None:
        self.hall.receive(topic, *range(self.sent, self.sent + count))
        self.sent += count
        if commit:
            self.commit()

    def commit(self) -> None:
        self.hall.commit()
        self.work()

    def work(self) -> None:
        for _ in range(5):
            self.pool.work()
            self.hall.reactor.advance(0)

    def drain(self, replay: LogReplay, limit: int = 1000) -> list[int]:
        """Ids of all that comes without a commit."""
        found: list[ReplayedMessage] = []
        self.work()
        while taken := replay.take(limit):
            found += taken
            self.work()
        return [int(one.current.id) for one in found]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.hall.end()


def test_from_the_first_on_and_then_what_comes(desk: Desk) -> None:
    desk.send(3)
    desk.send(2)
    replay = desk.open()
    assert replay.take(10) == []
    assert desk.drain(replay) == [0, 1, 2, 3, 4]
    desk.send(2, commit=False)
    assert desk.drain(replay) == []
    desk.commit()
    assert desk.drain(replay) == [5, 6]
    assert desk.ready == 2


def test_next_is_what_comes_after_and_nothing_that_waits_for_its_commit(desk: Desk) -> None:
    desk.send(2)
    desk.send(2, commit=False)
    replay = desk.open("next")
    desk.send(1, commit=False)
    desk.commit()
    desk.send(1)
    assert desk.drain(replay) == [4, 5]


def test_next_in_an_empty_log(desk: Desk) -> None:
    replay = desk.open("next")
    desk.commit()
    desk.send(2)
    assert desk.drain(replay) == [0, 1]


def test_an_offset_resumes_there(desk: Desk) -> None:
    desk.send(3)
    desk.send(3)
    first = desk.open()
    desk.work()
    taken = first.take(10)
    again = desk.open("offset", taken[3].position)
    assert desk.drain(again) == [3, 4, 5]
    after = desk.open("offset", taken[-1].position + 1)
    assert desk.drain(after) == []
    desk.send()
    assert (desk.drain(after), desk.drain(again)) == ([6], [6])


@pytest.mark.parametrize("number", [3 * PER_PAGE, 10**17])
def test_an_offset_beyond_the_end_is_refused(desk: Desk, number: int) -> None:
    desk.send()
    replay = desk.open("offset", number)
    desk.work()
    assert desk.failed == [f"offset {number} is beyond the end of the log: the next message has {2 * PER_PAGE} or more"]
    desk.send()
    assert desk.drain(replay) == []


def test_the_last_one_that_matches(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "STEP_PAGES", 1)
    desk.send(3)
    desk.send(3, "other")
    desk.send(1, "other")
    replay = desk.open("last")
    assert desk.drain(replay) == [2]
    desk.send(2)
    assert desk.drain(replay) == [7, 8]


def test_without_a_last_one_it_is_the_next(desk: Desk) -> None:
    desk.send(3, "other")
    replay = desk.open("last")
    desk.send(1)
    assert desk.drain(replay) == [3]


def test_a_time_leaves_out_what_was_received_before(desk: Desk) -> None:
    for _ in range(4):
        desk.hall.reactor.advance(10)
        desk.send(2)
    replay = desk.open("time", 1025.0)
    assert desk.drain(replay) == [4, 5, 6, 7]
    later = desk.open("time", 1055.0)
    desk.send(1)
    assert desk.drain(later) == []
    desk.hall.reactor.advance(20)
    desk.send(1)
    assert (desk.drain(later), desk.drain(replay)) == ([9], [8, 9])


def test_only_topics_that_match_and_are_wanted(desk: Desk) -> None:
    for topic in ("a", "a.b", "b", "a.b.c"):
        desk.send(2, topic)
    replay = desk.open(wanted=lambda message: int(message.id) % 2 == 0)
    assert desk.drain(replay) == [0, 2, 6]


def test_what_a_queue_was_given_alone_is_not_in_it(desk: Desk) -> None:
    queue = desk.hall.declare()
    desk.hall.put(queue, "99")
    desk.send(1)
    assert desk.drain(desk.open(pattern="#")) == [0]


def test_messages_are_taken_in_parts_and_may_be_given_back(desk: Desk) -> None:
    desk.send(5)
    replay = desk.open()
    desk.work()
    one, two, three = replay.take(3)
    replay.give_back([two, three])
    assert [int(one.current.id) for one in replay.take(2)] == [1, 2]
    assert (one.attempts, one.failures, one.position) == (0, 0, PER_PAGE)
    assert desk.drain(replay) == [3, 4]


def test_what_is_given_back_comes_before_what_is_read_meanwhile(desk: Desk) -> None:
    desk.send(2)
    desk.send(2)
    replay = desk.open()
    desk.work()
    taken = replay.take(4)
    desk.send(2)
    replay.give_back(taken[2:])
    assert desk.drain(replay) == [2, 3, 4, 5]


def test_who_does_not_take_has_no_more_than_one_step_in_memory(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "STEP_MESSAGES", 4)
    for _ in range(20):
        desk.send(3)
    replay: Any = desk.open()
    for _ in range(10):
        desk.send(3)
    assert len(replay._taken) == 6
    assert desk.drain(replay, 2) == list(range(90))


def test_the_buses_are_asked_for_its_pattern_while_it_lasts(desk: Desk) -> None:
    followed: list[tuple[list[str], list[str]]] = []
    desk.hall.enqueuer.subscriptions.follow = lambda added, removed: followed.append(([*added], [*removed]))
    replay = desk.open()
    replay.close()
    replay.close()
    assert followed == [(["a.#"], []), ([], ["a.#"])]


def test_after_its_end_nothing_is_read_or_told(desk: Desk) -> None:
    desk.send(2)
    reading, waiting, looking = desk.open(), desk.open("next"), desk.open("last")
    desk.send(1, commit=False)
    for one in (reading, waiting, looking):
        one.close()
    desk.commit()
    desk.send(2)
    reading.give_back([ReplayedMessage(Message("0", "a.b", b"", {}, 0.0), 1)])
    assert [desk.drain(one) for one in (reading, waiting, looking)] == [[], [], []]
    assert (desk.ready, desk.failed) == (0, [])


def test_a_log_that_can_not_be_read_ends_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("no such device")

    monkeypatch.setattr(desk.replays.log, "read", broken)
    desk.open()
    desk.work()
    assert desk.failed == ["the log can't be read"]


def test_if_the_store_is_closed_after_its_end_nothing_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As at a stop: a thread is about to read."""
    desk = Desk(tmp_path)
    desk.send(2)
    replays = [desk.open(place) for place in ("first", "time", "last")]
    for one in replays:
        one.close()
    desk.hall.kill()
    desk.work()
    assert (desk.ready, desk.failed, caplog.records) == (0, [], [])


def test_an_error_of_who_is_called_back_is_not_one_of_the_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> None:
        raise RuntimeError("a bug")

    desk.send(2)
    desk.replays.open("a.#", ReplayStart("first"), broken, desk.failed.append)
    desk.work()
    assert desk.failed == ["internal error; the hub's log has the details"]
    assert [str(one.exc_info[1]) for one in caplog.records if one.exc_info] == ["a bug"]


def test_where_the_log_is_deleted_faster_than_it_is_read_it_goes_on_with_what_there_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_reader, "STEP_PAGES", 1)
    desk.send(2)
    desk.send(2)
    replay = desk.open()
    desk.work()
    desk.hall.reactor.advance(900)
    desk.send(2)
    desk.hall.reactor.advance(200)
    desk.hall.store.changed("q")
    desk.commit()
    assert desk.drain(replay) == [0, 1, 4, 5]


@pytest.mark.parametrize("seed", range(20))
def test_while_messages_come_none_is_missing_and_none_is_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Sends, commits, threads, the reactor and the reader take turns by chance."""
    chance = random.Random(seed)
    monkeypatch.setattr(log_reader, "STEP_PAGES", 3)
    for _ in range(10):
        desk.send(chance.randint(1, 4), chance.choice(("a.b", "other")), commit=chance.random() < 0.5)
    replay, found = desk.open(pattern="#"), list[ReplayedMessage]()
    steps: list[Callable[[], object]] = [
        lambda: desk.send(chance.randint(1, 4), chance.choice(("a.b", "other")), commit=False),
        lambda: desk.hall.commit(),
        lambda: desk.pool.work(),
        lambda: desk.hall.reactor.advance(0),
        lambda: found.extend(replay.take(chance.randint(1, 5))),
    ]
    for _ in range(300):
        chance.choice(steps)()
    desk.commit()
    while taken := replay.take(100):
        found += taken
        desk.work()
    assert [int(one.current.id) for one in found] == [*range(desk.sent)]
    positions = [one.position for one in found]
    assert positions == sorted(set(positions))


def test_many_topics_take_little_memory_of_each_replay() -> None:
    wanted = wanted_of("a.#", None)
    messages = [Message("1", f"{first}.b.c.d.{number}", b"") for number in range(5000) for first in "ax"]
    tracemalloc.start()
    try:
        found = sum(map(wanted, messages))
        assert (found, tracemalloc.get_traced_memory()[0] < 100_000) == (5000, True)
    finally:
        tracemalloc.stop()


def test_a_pattern_and_a_wish_together() -> None:
    wanted = wanted_of("a.*", lambda message: message.id == "1")
    found = [wanted(Message(id_, topic, b"", {}, 0.0)) for id_ in "12" for topic in ("a.b", "b")]
    assert found == [True, False, False, False]
