"""A hub that can't hear the others says that of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cluster.view import OPEN, Bus, told


@pytest.fixture
def bus(tmp_path: Path) -> Bus:
    made = Bus(tmp_path)
    made.view.start()
    return made


def test_a_hub_that_was_stopped_itself_judges_nobody_before_it_has_read_what_came(bus: Bus) -> None:
    bus.pass_time(9.0, "alpha")
    bus.now += 16.0  # stopped
    bus.view.check()
    assert bus.status["nodes"]["alpha"]["state"] == "present"
    bus.pass_time(27.0, "alpha")
    bus.pass_time(30.0)
    assert not any("vanished" in line for line in bus.log.lines())
    bus.pass_time(27.0 + 15.0)
    assert bus.status["nodes"]["alpha"]["state"] == "vanished"


def test_so_does_one_that_read_before_it_looked(bus: Bus) -> None:
    bus.pass_time(9.0, "alpha", "beta", "own")
    bus.now += 16.0
    bus.speak("alpha")
    bus.view.check()
    bus.speak("beta", "own")
    bus.pass_time(40.0, "alpha", "beta", "own")
    assert not any("vanished" in line for line in bus.log.lines())


def test_one_to_which_nothing_comes_though_it_is_connected_says_that_of_itself(bus: Bus) -> None:
    bus.pass_time(9.0, "alpha", "beta", "own")
    bus.pass_time(16.0)
    assert bus.status["state"] == "listening"
    bus.pass_time(60.0)
    status = bus.status
    assert status["state"] == "deaf"
    assert status["deaf_because"] == "no announcement comes, not even this hub's own"
    assert (status["nodes_present"], status["nodes_unheard"], status["nodes_vanished"]) == (1, 2, 0)
    deaf = [line for line in bus.log.lines() if "does not hear the other nodes over backend bus" in line]
    assert len(deaf) == 1
    assert not any("vanished" in line for line in bus.log.lines())
    bus.pass_time(63.0, "alpha", "own")
    assert bus.status["state"] == "listening"
    assert bus.log.lines()[-1] == "this hub hears announcements again"
    bus.pass_time(78.0, "alpha", "own")
    assert next(line for line in bus.log.lines() if "vanished" in line).startswith("node beta has vanished")


@pytest.mark.parametrize("interval", [1.0, 3.0, 4.0])
@pytest.mark.parametrize("echo", ["own", "nobody"])
def test_one_that_vanishes_is_named_within_fifteen_seconds(bus: Bus, interval: float, echo: str) -> None:
    bus.hear(told(OPEN, interval=interval, start="d" * 32, node="delta"))
    bus.pass_time(15.0, *(["own"] if echo == "own" else []))
    assert bus.status["nodes"]["delta"]["state"] == "vanished"


def test_a_bus_that_is_known_to_bring_what_it_is_given_and_does_not_is_told(tmp_path: Path) -> None:
    bus = Bus(tmp_path)
    bus.echoes = True
    bus.view.start()
    bus.view.announce()
    bus.pass_time(7.0)
    assert bus.status["state"] == "listening"
    bus.pass_time(9.0)
    assert bus.status["state"] == "deaf"


def test_an_own_announcement_that_is_repeated_is_no_sign_of_hearing(bus: Bus) -> None:
    bus.pass_time(9.0, "alpha", "own")
    old = bus.sent[-1]
    while bus.now < 30.0:
        bus.now += 1.0
        bus.hear(old)
        bus.view.check()
    assert bus.status["state"] == "deaf"
    assert bus.status["refused"] == {}


def test_all_of_several_that_vanish_may_be_this_hub_that_is_cut_off(bus: Bus) -> None:
    bus.pass_time(6.0, "alpha", "beta")
    bus.pass_time(9.0, "beta")
    bus.pass_time(15.0)
    assert not any("cut off from the bus" in line for line in bus.log.lines())
    bus.pass_time(30.0)
    assert len([line for line in bus.log.lines() if "cut off from the bus" in line]) == 1
