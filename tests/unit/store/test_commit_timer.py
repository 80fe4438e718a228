"""When commits are due. Time is played: a wait ends at once, and whatever comes meanwhile is the test's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.store.commit_timer import DELAY, IDLE_AFTER, RETRY_EVERY, SPACING, CommitTimer


class Played:
    """:ivar waits: for what, and for how long at most. :ivar meanwhile: what happens during each of them."""

    def __init__(self, delay: float = DELAY) -> None:
        self.waits: list[tuple[str, float | None]] = []
        self.meanwhile: list[Callable[[], object]] = []
        names = iter(["requested", "urgent"])
        self.timer = CommitTimer(delay, SPACING, lambda: PlayedEvent(self, next(names)))
        self.idle = 0

    def wait(self, *meanwhile: Callable[[], object], longest: float | None = None, full: bool = False) -> None:
        self.waits.clear()
        self.meanwhile = list(meanwhile)
        self.timer.wait(self._is_idle, longest, full)

    def _is_idle(self) -> None:
        self.idle += 1


class PlayedEvent:
    def __init__(self, played: Played, name: str) -> None:
        self._played, self._name, self._set = played, name, False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True

    def clear(self) -> None:
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        if not self._set:
            self._played.waits.append((self._name, timeout))
            if self._played.meanwhile:
                self._played.meanwhile.pop(0)()
        return self._set


def nothing() -> None: ...


@pytest.fixture
def played() -> Played:
    return Played()


def test_what_comes_seldom_is_committed_a_moment_later(played: Played) -> None:
    played.wait(nothing, played.timer.request)
    assert played.waits == [("urgent", SPACING), ("requested", IDLE_AFTER), ("urgent", DELAY)]
    assert played.idle == 0


def test_what_comes_soon_after_a_commit_waits_until_the_next_one_is_due(played: Played) -> None:
    played.wait(played.timer.request)
    assert played.waits == [("urgent", SPACING), ("urgent", 0.0)]


def test_a_long_interval_counts_from_the_arrival() -> None:
    played = Played(delay=30.0)
    played.wait(played.timer.request)
    assert played.waits == [("urgent", SPACING), ("urgent", 30.0 - SPACING)]
    played.wait(nothing, played.timer.request)
    assert played.waits[-1] == ("urgent", 30.0)


def test_whoever_is_in_a_hurry_waits_for_nothing(played: Played) -> None:
    played.timer.hurry()
    played.wait()
    assert played.waits == []
    played.wait(played.timer.hurry)
    assert played.waits == [("urgent", SPACING)]
    played.wait(played.timer.request, played.timer.hurry)
    assert played.waits == [("urgent", SPACING), ("urgent", 0.0)]


def test_each_request_is_for_one_commit(played: Played) -> None:
    played.wait(played.timer.hurry)
    played.wait(nothing, played.timer.request)
    assert played.waits == [("urgent", SPACING), ("requested", IDLE_AFTER), ("urgent", DELAY)]


def test_a_full_disk_is_tried_once_a_second_and_a_good_one_never_waits_so_long(played: Played) -> None:
    played.timer.request()
    played.wait(full=True)
    assert played.waits == [("urgent", RETRY_EVERY)]
    played.timer.request()
    played.wait()
    assert played.waits == [("urgent", SPACING), ("urgent", 0.0)]


def test_idleness_is_told_once_and_bounded(played: Played) -> None:
    played.wait(longest=30.0)
    assert played.waits == [("urgent", SPACING), ("requested", IDLE_AFTER), ("requested", 30.0), ("urgent", DELAY)]
    assert played.idle == 1
