"""How long a status is believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.errors import Unavailable
from hub.monitoring.snmp import Cache
from hub.monitoring.snmp_values import BASE

STATE = (*BASE, 1, 1, 2, 0)


class Hub:
    """Answers after ``takes`` seconds of a clock of its own."""

    def __init__(self) -> None:
        self.now, self.takes, self.asked, self.up = 100.0, 0.0, 0, True

    def status(self) -> Mapping[str, Any]:
        self.asked += 1
        self.now += self.takes
        if not self.up:
            raise Unavailable("no hub is running")
        return {"hub": {"state": "running"}}


def state(cache: Cache) -> str:
    value = cache.tree().get(STATE)
    assert value is not None
    return value.text


def test_a_status_is_used_for_a_second() -> None:
    hub = Hub()
    cache = Cache(hub.status, BASE, lambda: hub.now)
    assert [state(cache) for _ in range(3)] == ["3"] * 3
    hub.now += 0.9
    cache.tree()
    assert hub.asked == 1
    hub.now += 0.1
    cache.tree()
    assert hub.asked == 2


def test_a_hub_that_ends_is_down_and_up_again_when_it_is_back() -> None:
    hub = Hub()
    cache = Cache(hub.status, BASE, lambda: hub.now)
    states = []
    for hub.up in (False, True, False):
        hub.now += 1
        states.append(state(cache))
    assert states == ["1", "3", "1"]


def test_a_hub_that_hangs_takes_a_tenth_of_snmpds_time() -> None:
    hub = Hub()
    hub.takes, hub.up = 2.0, False
    cache = Cache(hub.status, BASE, lambda: hub.now)
    assert state(cache) == "1"
    hub.now += 19.9
    cache.tree()
    assert hub.asked == 1
    hub.now += 0.2
    cache.tree()
    assert hub.asked == 2
