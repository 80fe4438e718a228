"""Load of one scenario on one server, from this process and one thread."""

from __future__ import annotations

import selectors
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.processes import cpu_seconds
from benchmarks.stomp.connection import PATIENCE, Publisher, Subscriber
from benchmarks.stomp.scenario import SIZE, Scenario
from benchmarks.workload import body

BLOCK = 50
"""Messages that are sent together, without a rate."""
UNCONFIRMED = 1000
"""Messages without their receipt, at most."""


@dataclass(frozen=True)
class Delivered:
    """Result of one load.

    :ivar rate: delivered messages per second, from the first SEND until the last one is there and confirmed.
    :ivar cpu: processor time of the server for each, in us. :ivar load: share of a core that this process used.
    :ivar latencies: of each message, in ns, from its SEND; empty without a rate.
    """

    rate: float
    cpu: float
    load: float
    latencies: Sequence[int]


class Load:
    """Publisher and subscribers of a scenario.

    :param destination: nobody else uses it. :raises RuntimeError: the server refused something, or does not answer.
    """

    def __init__(self, port: int, scenario: Scenario, destination: str, stack: ExitStack) -> None:
        self._scenario = scenario
        self._latencies: list[int] = []
        noted = self._latencies if scenario.rate else None
        self._subscribers = [Subscriber(port, destination, scenario.ack, noted) for _ in range(scenario.subscribers)]
        self._publisher = Publisher(port, destination, scenario.persistent, body(SIZE))
        self._selector = stack.enter_context(selectors.DefaultSelector())
        for one in (*self._subscribers, self._publisher):
            stack.callback(one.socket.close)
            self._selector.register(one.socket, selectors.EVENT_READ, one)
        self._delivered = 0
        self._began = 0.0

    def run(self, seconds: float, pids: Callable[[], list[int]]) -> Delivered:
        """Publish for so long, and wait until all has come.

        :param pids: returns the server's processes. :raises RuntimeError: as above, or messages are missing.
        """
        before, own = cpu_seconds(pids()), time.process_time()
        self._began = time.monotonic()
        self._publish(self._began + seconds)
        elapsed, own = time.monotonic() - self._began, time.process_time() - own
        for one in self._subscribers:
            self._selector.unregister(one.socket)
            one.end()
        cpu = cpu_seconds(pids()) - before
        count = self._delivered
        return Delivered(count / elapsed, cpu / count * 1e6, own / elapsed, self._latencies)

    def _publish(self, end: float) -> None:
        publisher, subscribers = self._publisher, len(self._subscribers)
        late = end + PATIENCE
        while True:
            now = time.monotonic()
            if now < end:
                self._send(now)
            elif self._delivered >= publisher.sent * subscribers and not publisher.unconfirmed:
                break
            if now > late:
                missing = publisher.sent * subscribers - self._delivered
                raise RuntimeError(f"{missing} messages and {publisher.unconfirmed} receipts are missing")
            for key, _ in self._selector.select(self._pause(now)):
                self._serve(key.data)

    def _serve(self, one: Publisher | Subscriber) -> None:
        """Write what is left, and read; register for what comes next."""
        if one.unsent:
            one.send()
        try:
            if isinstance(one, Publisher):
                one.read()
            else:
                self._delivered += one.read()
        except BlockingIOError:
            pass  # it was only writable
        self._watch(one)

    def _watch(self, one: Publisher | Subscriber) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if one.unsent else 0)
        if self._selector.get_key(one.socket).events != events:
            self._selector.modify(one.socket, events, one)

    def _send(self, now: float) -> None:
        """Send what the window, or the rate, allows."""
        publisher, scenario = self._publisher, self._scenario
        if scenario.rate:
            while publisher.sent < (now - self._began) * scenario.rate:
                publisher.publish(1, True)
        else:
            most = (scenario.window - BLOCK) * scenario.subscribers
            while (
                not publisher.unsent
                and publisher.sent * scenario.subscribers - self._delivered <= most
                and publisher.unconfirmed <= UNCONFIRMED - BLOCK
            ):
                publisher.publish(BLOCK, False)
        self._watch(publisher)

    def _pause(self, now: float) -> float:
        """Seconds until the next message is due; without a rate until the end may be reached."""
        if not self._scenario.rate:
            return 0.05
        return max(0.0, self._began + self._publisher.sent / self._scenario.rate - now)


def deliver(
    port: int, scenario: Scenario, destination: str, seconds: float, pids: Callable[[], list[int]]
) -> Delivered:
    """Measure one scenario for so many seconds. Raises as :class:`Load`."""
    with ExitStack() as stack:
        return Load(port, scenario, destination, stack).run(seconds, pids)
