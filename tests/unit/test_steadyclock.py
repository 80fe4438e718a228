"""A clock that a moment far ahead does not fool."""

from __future__ import annotations

import pytest

from hub.steadyclock import LASTING, TOLERANCE, SteadyClock

YEAR = 365 * 86400.0


class Desk:
    """The two clocks of a machine."""

    def __init__(self) -> None:
        self.wall, self.monotonic = 1e9, 50.0
        self.clock = SteadyClock(lambda: self.wall, lambda: self.monotonic)

    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


def test_it_goes_with_the_wall_clock() -> None:
    desk = Desk()
    for _ in range(10):
        desk.wait(YEAR)
        assert desk.clock() == desk.wall


def test_a_moment_far_ahead_is_not_seen() -> None:
    desk = Desk()
    desk.wall += YEAR
    assert desk.clock() == desk.wall - YEAR
    desk.wait(1)
    assert desk.clock() == desk.wall - YEAR
    desk.wall -= YEAR
    assert desk.clock() == desk.wall


def test_a_clock_that_stays_ahead_is_believed_after_a_while() -> None:
    desk = Desk()
    desk.wall += YEAR
    desk.clock()
    desk.wait(LASTING - 1)
    assert desk.clock() == desk.wall - YEAR
    desk.wait(2)
    assert desk.clock() == desk.wall


def test_two_moments_are_not_one_that_lasts() -> None:
    desk = Desk()
    for _ in range(3):
        desk.wall += YEAR
        assert desk.clock() == desk.wall - YEAR
        desk.wall -= YEAR
        assert desk.clock() == desk.wall
        desk.wait(LASTING)


@pytest.mark.parametrize("step", [-YEAR, -1.0, TOLERANCE])
def test_a_step_back_or_a_small_one_is_followed_at_once(step: float) -> None:
    desk = Desk()
    desk.wall += step
    assert desk.clock() == desk.wall
