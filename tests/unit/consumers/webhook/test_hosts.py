"""Hosts: their requests, who fails, who asks to wait."""

from __future__ import annotations

import pytest

from hub.consumers.sending.outcome import Temporary
from hub.consumers.webhook import hosts as module
from hub.consumers.webhook.hosts import LONGEST_WAIT, HostLimits, Hosts
from tests.unit.consumers.webhook.test_breaker import Time


def make(clock: Time, requests: int = 2, most: int = 10) -> Hosts:
    return Hosts(HostLimits(requests, 2, 10.0, 60.0), most, clock, lambda low, high: low)


def waits(hosts: Hosts, name: str) -> float:
    with pytest.raises(Temporary) as caught:
        hosts.begin(name)
    assert caught.value.delay is not None
    return caught.value.delay


def test_a_busy_host_gives_turns_and_others_go_on() -> None:
    hosts = make(Time())
    hosts.begin("a")
    hosts.end("a", 4.0, False)
    hosts.begin("a")
    hosts.begin("a")
    assert [waits(hosts, "a") for _ in range(3)] == [2.0, 4.0, 6.0]
    hosts.begin("b")
    assert max(waits(hosts, "a") for _ in range(100)) == LONGEST_WAIT
    hosts.end("a", 1.0, False)
    hosts.begin("a")


def test_all_together_are_bounded() -> None:
    hosts = make(Time(), most=2)
    hosts.begin("a")
    hosts.begin("b")
    assert waits(hosts, "c") > 0
    hosts.end("a", 1.0, None)
    hosts.begin("c")
    assert hosts.status() == {"under_way": 2, "failing_hosts": 0}


def test_one_that_fails_is_left_alone() -> None:
    clock = Time()
    hosts = make(clock)
    for _ in range(2):
        hosts.begin("a")
        hosts.end("a", 1.0, True)
    assert waits(hosts, "a") == 10.0
    assert hosts.status()["failing_hosts"] == 1
    hosts.begin("b")
    clock.now += 10
    hosts.begin("a")
    hosts.end("a", 1.0, False)
    assert hosts.status()["failing_hosts"] == 0


def test_one_that_asks_to_wait_is_obeyed() -> None:
    clock = Time()
    hosts = make(clock)
    hosts.wait("a", 30.0)
    hosts.wait("a", 5.0)
    assert waits(hosts, "a") == 30.0
    clock.now += 30
    hosts.begin("a")


def test_they_are_bounded_and_none_that_works_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_REMEMBERED", 5)
    hosts = make(Time(), most=100)
    hosts.begin("busy")
    for number in range(20):
        hosts.wait(str(number), 1.0)
    assert len(hosts._hosts) == 5
    assert "busy" in hosts._hosts
    hosts.end("busy", 1.0, False)
