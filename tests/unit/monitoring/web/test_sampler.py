"""Once a second."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.task import Clock

from hub.monitoring.web.sampler import FRESH, Sampler, Snapshot
from tests.unit.doubles import RecordingLog


class Heart:
    """A sampler, its clocks, and all that it was asked and told."""

    def __init__(self, wall: float = 999.9) -> None:
        self.clock, self.log = Clock(), RecordingLog()
        self.offset = wall
        self.taken = 0
        self.error: Exception | None = None
        self.sampler = Sampler(self.snapshot, self.clock, self.wall, self.clock.seconds, self.log)
        self.beats: list[float | None] = []
        self.sampler.listeners.append(lambda snapshot: self.beats.append(None if snapshot is None else snapshot.time))

    def wall(self) -> float:
        return self.offset + self.clock.seconds()

    def snapshot(self) -> dict[str, Any]:
        self.taken += 1
        if self.error is not None:
            raise self.error
        return {"taken": self.taken}

    def pass_time(self, seconds: float, step: float = 0.1) -> None:
        self.clock.pump([step] * round(seconds / step))


def test_it_beats_in_the_middle_of_each_second() -> None:
    heart = Heart()
    heart.sampler.start()
    heart.pass_time(3.8)
    assert heart.beats == pytest.approx([1000.5, 1001.5, 1002.5, 1003.5], abs=0.15)
    assert heart.taken == 4


def test_late_timers_do_not_leave_out_a_second() -> None:
    """Each of them up to 0.4 s late, and never twice in one second."""
    heart = Heart(1000.0)
    heart.sampler.start()
    heart.pass_time(20, 0.4)
    seconds = [int(beat) for beat in heart.beats if beat]
    assert seconds == list(range(1000, 1000 + len(seconds)))


@pytest.mark.parametrize("jump", [-3600.0, 86_400.0, 0.25])
def test_a_clock_that_is_set_does_not_stop_it(jump: float) -> None:
    heart = Heart()
    heart.sampler.start()
    heart.pass_time(2)
    before = len(heart.beats)
    heart.offset += jump
    heart.pass_time(10)
    assert len(heart.beats) - before in (9, 10, 11)


def test_it_stops() -> None:
    heart = Heart()
    heart.sampler.stop()
    heart.sampler.start()
    heart.sampler.stop()
    heart.pass_time(3)
    assert heart.beats == []
    assert heart.clock.getDelayedCalls() == []


def test_numbers_that_can_not_be_had_are_logged_once_and_it_beats_on() -> None:
    heart = Heart()
    heart.sampler.start()
    heart.error = ValueError("no")
    heart.pass_time(3)
    heart.error = None
    heart.pass_time(2)
    assert heart.beats[:3] == [None, None, None]
    assert heart.beats[3:] == pytest.approx([1003.5, 1004.5], abs=0.15)
    assert heart.log.actions() == ["bug"]


def test_a_listener_that_fails_does_not_keep_the_others_from_their_beat() -> None:
    heart = Heart()
    heart.sampler.listeners.insert(0, lambda snapshot: 1 // 0)  # type: ignore[arg-type]
    heart.sampler.start()
    heart.pass_time(1)
    assert len(heart.beats) == 1
    assert heart.log.actions() == ["bug"]


def test_who_asks_often_is_given_the_same_numbers_for_a_moment() -> None:
    heart = Heart()
    assert heart.sampler.latest() is heart.sampler.latest()
    heart.clock.advance(FRESH + 0.01)
    heart.sampler.latest()
    assert heart.taken == 2


def test_who_has_changed_something_is_given_the_numbers_of_then() -> None:
    heart = Heart()
    heart.sampler.latest()
    heart.sampler.outdate()
    assert heart.sampler.latest().status == {"taken": 2}


def test_a_snapshot_is_encoded_when_it_is_asked_for_and_once() -> None:
    snapshot = Snapshot(1.0, 1.0, {"hub": {"a\n": float("nan"), "store": {"reason": "why"}}, "consumers": {}})
    before = set(snapshot.__dict__)
    assert snapshot.document(True) == b'{"hub":{"a\\n":null,"store":{"reason":"why"}},"consumers":{}}'
    assert len(set(snapshot.__dict__) - before) == 1
    assert snapshot.document(True) is snapshot.document(True)
    assert b"why" not in snapshot.document(False)
    assert snapshot.document(False) is snapshot.document(False)
