"""Claims that wait: how often they look, what wakes them, and what is told to the database; in made-up time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from hub.jobs import Jobs
from hub.jobs.job import Job
from hub.jobs.postgresql.notifying import NOTIFY_EVERY, REMEMBERED, Notifications
from hub.jobs.waiting import ASLEEP, Waits

JOB = Job(1, "q", b"", 4, 1, 25, 0.0)


class Night:
    """Time that passes while somebody sleeps, and a storage that notes what it is told."""

    def __init__(self, longest: float = 1.0) -> None:
        self.now = 100.0
        self.looks: list[float] = []
        self.told: list[tuple[int, float]] = []
        self.notified: list[list[str]] = []
        self.closed = 0
        self.heard: Callable[[str | None], None] | None = None
        self.events: dict[float, Callable[[], None]] = {}
        storage: Any = self
        self.waits = Waits(storage, longest, lambda: self.now, lambda low, high: high, self.pass_)

    def pass_(self, event: threading.Event, seconds: float) -> None:
        until = self.now + seconds
        due = sorted(moment for moment in self.events if moment <= until)
        if due:
            self.now = due[0]
            self.events.pop(due[0])()
            if event.is_set():
                return
        self.now = until

    def listen(self, heard: Callable[[str | None], None]) -> Night:
        self.heard = heard
        return self

    def close(self) -> None:
        self.closed += 1

    def sleep(self, process: int, _: float) -> None:
        self.told.append((process, self.now))

    def notify(self, queues: Sequence[str]) -> None:
        self.notified.append(list(queues))

    def claim(self, seconds: float, queues: Sequence[str] | None = None, found: float = 1e9) -> list[Job]:
        def look() -> list[Job]:
            self.looks.append(round(self.now - 100.0, 3))
            return [JOB] if self.now >= found else []

        return self.waits.claim(look, lambda: 7, queues, seconds)


def test_pauses_grow_to_their_bound() -> None:
    night = Night()
    assert night.claim(4.0) == []
    assert night.looks == [0.0, 0.0, 0.005, 0.025, 0.105, 0.425, 1.425, 2.425, 3.425, 4.0]


def test_it_looks_once_more_after_it_has_told_that_it_sleeps() -> None:
    """A job that was inserted before that was known woke nobody."""
    night = Night()
    night.claim(0.001)
    assert night.told == [(7, 100.0)]
    assert night.looks == [0.0, 0.0, 0.001]


def test_that_it_sleeps_is_told_now_and_then() -> None:
    night = Night()
    for _ in range(100):
        night.claim(0.1)
    assert len(night.told) == 2
    assert ASLEEP / 2 <= night.told[1][1] - night.told[0][1] < ASLEEP


def test_a_job_that_is_there_ends_the_wait() -> None:
    night = Night()
    assert night.claim(60.0, found=100.3) == [JOB]
    assert night.looks[-1] == 0.425


@pytest.mark.parametrize(
    ("queues", "heard", "woken"),
    [(["a", "b"], "b", True), (["a"], "b", False), (None, "b", True), (["a"], None, True)],
)
def test_only_those_are_woken_who_wait_for_that_queue(queues: list[str] | None, heard: str | None, woken: bool) -> None:
    night = Night(longest=50.0)
    night.events[104.0] = lambda: night.heard(heard)  # type: ignore[misc]
    night.claim(5.0, queues)
    assert (4.0 in night.looks) == woken
    assert (4.005 in night.looks) == woken  # and pauses begin anew


def test_a_stop_ends_the_wait_and_later_ones_look_once() -> None:
    night = Night()
    night.events[102.0] = night.waits.stop
    assert night.claim(60.0) == []
    assert night.looks[-1] == 2.0
    looks = len(night.looks)
    assert night.claim(60.0, found=0.0) == [JOB]
    night.claim(60.0)
    assert len(night.looks) == looks + 2


def test_a_close_ends_the_listening_which_begins_again_with_the_next_wait() -> None:
    night = Night()
    night.claim(0.1)
    night.waits.close()
    night.waits.close()
    assert night.closed == 1
    night.waits.open()
    night.heard = None
    night.claim(0.1)
    assert night.heard is not None


def test_an_announcement_wakes_ones_own_and_is_told_to_others() -> None:
    night = Night(longest=50.0)
    night.events[104.0] = lambda: night.waits.announce(["a", "a", "b"])
    night.claim(5.0, ["b"])
    assert 4.0 in night.looks
    night.waits.announce([])
    assert night.notified == [["a", "b"]]


def test_notifications_of_a_queue_are_not_sent_more_often_than_they_help() -> None:
    now = [0.0]
    database: Any = None
    notifications = Notifications(database, lambda: now[0])
    assert notifications._due({"a"}) == ["a"]
    now[0] += NOTIFY_EVERY / 2
    assert sorted(notifications._due({"a", "b"})) == ["b"]
    now[0] += NOTIFY_EVERY / 2
    assert notifications._due({"a", "b"}) == ["a"]
    for number in range(3 * REMEMBERED):
        notifications._due({str(number)})
    assert len(notifications._sent) <= REMEMBERED + 1


@pytest.mark.parametrize("options", [{"longest_poll": 0}, {"longest_poll": "-1s"}])
def test_a_poll_has_a_length(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"longest_poll|duration"):
        Jobs("sqlite:///jobs.db", **options)


def test_a_listener_is_told_of_all_that_wakes_a_claim() -> None:
    night = Night()
    heard: list[str | None] = []
    for _ in range(3):
        night.waits.listen(heard.append, 7)
        night.now += 1.0
    assert (heard, night.told) == ([None], [(7, 100.0)])
    assert night.heard is not None
    night.heard("q")
    night.waits.announce(["r", ""])
    assert heard[1:2] == ["q"]
    assert set(heard[2:]) == {"r", None}
    night.now += ASLEEP
    night.waits.listen(heard.append, 7)
    assert (heard[-1], len(night.told)) == (None, 2)
