"""Whether a hub could hear; the time is an argument."""

from __future__ import annotations

import pytest

from hub.cluster.hearing import Hearing


def test_a_bus_without_echoes_never_tells_that_nothing_comes() -> None:
    hearing = Hearing(3.0, echoes=False, now=0.0)
    assert hearing.came(100.0) == 0.0
    assert hearing.deaf(1000.0) is None
    assert hearing.until(1000.0) == 1000.0


@pytest.mark.parametrize(("silent", "deaf"), [(7.0, False), (7.1, True)])
def test_one_with_echoes_does_after_two_intervals_and_a_second(silent: float, deaf: bool) -> None:
    hearing = Hearing(3.0, echoes=True, now=0.0)
    hearing.came(10.0)
    assert (hearing.deaf(10.0 + silent) is not None) is deaf
    assert hearing.until(10.0 + silent) == 10.0


def test_a_gap_in_what_comes_is_left_out_but_for_an_interval() -> None:
    hearing = Hearing(3.0, echoes=True, now=0.0)
    assert [hearing.came(now) for now in (3.0, 9.0, 15.5)] == [0.0, 0.0, 3.5]


def test_a_hub_that_was_held_up_has_heard_nothing_in_that_time() -> None:
    hearing = Hearing(3.0, echoes=True, now=0.0)
    assert [hearing.look(now) for now in (1.0, 3.5, 20.0, 21.0)] == [0.0, 0.0, 15.5, 0.0]
    assert hearing.heard == 15.5
    assert hearing.deaf(21.0) is None


def test_a_bus_that_is_known_to_be_away_is_no_riddle() -> None:
    hearing = Hearing(3.0, echoes=True, now=0.0)
    hearing.wait(100.0)
    assert hearing.deaf(107.0) is None
    assert hearing.came(106.5) == 3.5
