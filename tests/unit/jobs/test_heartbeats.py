"""Which processes are dead, by the clock of the one who looks on."""

from __future__ import annotations

import pytest

from hub.jobs.heartbeats import Heartbeat, Heartbeats

LEASE = 15.0


@pytest.mark.parametrize("step", [3600.0, -3600.0, 0.0])
def test_a_living_process_stays_alive_whatever_the_databases_clock_does(step: float) -> None:
    seen = Heartbeats()
    for now in range(0, 100, 5):
        server = now + (step if now > 40 else 0.0)
        assert seen.dead({7: Heartbeat(server, LEASE)}, now, now) == {}


@pytest.mark.parametrize("seen_at", [-3600.0, 0.0, 3600.0])
def test_a_dead_one_is_found_after_a_lease_of_looking_on(seen_at: float) -> None:
    seen = Heartbeats()
    silent = {7: Heartbeat(seen_at, LEASE)}
    assert [seen.dead(silent, now, now) for now in (0.0, 5.0, 10.0, 14.9)] == [{}] * 4
    assert seen.dead(silent, 15.0, 15.0) == {7: seen_at}


def test_a_look_that_takes_long_makes_nobody_older() -> None:
    seen = Heartbeats()
    silent = {7: Heartbeat(1.0, LEASE)}
    assert seen.dead(silent, 0.0, 20.0) == {}
    assert seen.dead(silent, 20.0, 40.0) == {}
    assert seen.dead(silent, 35.0, 60.0) == {7: 1.0}


def test_one_that_others_found_silent_before_is_dead_at_the_first_look() -> None:
    assert Heartbeats().dead({7: Heartbeat(1.0, LEASE, True), 8: Heartbeat(1.0, LEASE)}, 0.0, 0.0) == {7: 1.0}
