"""The hosts that requests go to: how many requests each has, who fails, and who asks to wait."""

from __future__ import annotations

import threading
from collections import OrderedDict

import msgspec

from hub.backoff import Uniform
from hub.consumers.sending.outcome import Temporary, Waiting
from hub.consumers.webhook.breaker import Breaker
from hub.interfaces import Clock

MOST_REMEMBERED = 10_000
"""Hosts that are remembered. Beyond it the least recently used ones that are idle are forgotten."""
LONGEST_WAIT = 60.0
"""Seconds that a message waits for its turn at a busy host, at most, before it asks again."""
SHORTEST_WAIT = 0.05


class HostLimits(msgspec.Struct, frozen=True):
    """Limits of each host. :ivar requests: at once. :ivar failures: in a row, that open its breaker.
    :ivar pause, longest_pause: seconds for which it is open."""

    requests: int
    failures: int
    pause: float
    longest_pause: float


class _Host:
    def __init__(self, limits: HostLimits, clock: Clock) -> None:
        self.breaker = Breaker(limits.failures, limits.pause, limits.longest_pause, clock)
        self.requests = 0
        self.answered_in = 0.0
        self.asked_until = 0.0
        self.promised = 0.0


class Hosts:
    """All hosts of one consumer, by name. Thread-safe; nothing in it waits.

    :param most: requests at once to all hosts. :param clock: monotonic seconds. :param uniform: spreads waits.
    """

    def __init__(self, limits: HostLimits, most: int, clock: Clock, uniform: Uniform) -> None:
        self._limits, self._most = limits, most
        self._clock, self._uniform = clock, uniform
        self._hosts: OrderedDict[str, _Host] = OrderedDict()
        self._requests = 0
        self._lock = threading.Lock()

    def begin(self, name: str) -> None:
        """Begin a request; :meth:`end` must follow. :raises Temporary: it has to wait."""
        with self._lock:
            host = self._host(name)
            now = self._clock()
            if (left := host.asked_until - now) > 0:
                raise Temporary(f"{name} asked to wait", left + self._uniform(0.0, 1.0))
            if self._requests >= self._most:
                raise Waiting(f"{self._most} requests are under way", self._uniform(SHORTEST_WAIT, 1.0))
            if host.requests >= self._limits.requests:
                raise Waiting(f"{host.requests} requests to {name} are under way", self._turn(host, now))
            if wait := host.breaker.begin():
                raise Temporary(
                    f"{name} fails: it is left alone for a while", wait + self._uniform(0.0, min(wait, 5.0))
                )
            host.requests += 1
            self._requests += 1

    def end(self, name: str, seconds: float, failed: bool | None) -> None:
        """End a request. :param seconds: that it took. :param failed: whether the host did; ``None``: the request says
        nothing of the host."""
        with self._lock:
            host = self._host(name)
            host.requests -= 1
            self._requests -= 1
            if failed is None:
                host.breaker.withdrawn()
            elif failed:
                host.breaker.failed()
            else:
                host.breaker.succeeded()
            if failed is not None:
                host.answered_in = seconds

    def wait(self, name: str, seconds: float) -> None:
        """Begin no request to a host for so long, because it asked for that."""
        with self._lock:
            host = self._host(name)
            host.asked_until = max(host.asked_until, self._clock() + seconds)

    def answers_in(self, name: str) -> float:
        """Seconds that the host took last time; 0.0: not known."""
        with self._lock:
            return self._host(name).answered_in

    @property
    def under_way(self) -> int:
        """Requests at this moment, to all hosts."""
        return self._requests

    def status(self) -> dict[str, int]:
        """Numbers: requests under way, hosts that are left alone."""
        with self._lock:
            return {
                "under_way": self._requests,
                "failing_hosts": sum(host.breaker.open for host in self._hosts.values()),
            }

    def _turn(self, host: _Host, now: float) -> float:
        """Seconds until a busy host may have room: each that asks is told a later time."""
        each = max(host.answered_in, SHORTEST_WAIT) / self._limits.requests
        turn = max(host.promised, now) + each
        if turn > now + LONGEST_WAIT:
            return LONGEST_WAIT
        host.promised = turn
        return max(turn - now, SHORTEST_WAIT)

    def _host(self, name: str) -> _Host:
        host = self._hosts.pop(name, None) or _Host(self._limits, self._clock)
        self._hosts[name] = host
        if len(self._hosts) > MOST_REMEMBERED:
            idle = next((each for each, other in self._hosts.items() if not other.requests and other is not host), None)
            if idle is not None:
                del self._hosts[idle]
        return host
