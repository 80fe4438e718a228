"""kill -9 at random instants while a STOMP client sends to a queue and another reads it: nothing with a RECEIPT is
lost, little comes twice, and what was not delivered keeps its order.
"""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.size import SEED, sized
from tests.support import PATIENCE, free_port, wait_until
from tests.system.hubs import RunningHub
from tests.system.server import listens
from tests.system.stomp_socket import StompSocket

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(120, 1800))]

KILLS = sized(8, 100)
PREFETCH = 50
SENT_AT_ONCE = 20
GROUP = 0.1 * PATIENCE
"""Seconds: acks of that time may be in no commit yet."""
LAG = 0.2 * PATIENCE
"""Seconds that an ack may take from its client to the hub, on a machine that is busy."""
CONFIGURATION = """
[backends.stomp]
type = "stomp-server"
listen = ["127.0.0.1:{port}"]
"""


@dataclass
class Record:
    """What the clients saw. Messages are numbers, in the order of their SENDs.

    :ivar in_hand: number of those that were not acked when the hub was killed.
    :ivar acked: when the ack of a message was sent, in monotonic seconds. :ivar unsettled: number of acks that were
        sent just before a kill. :ivar forgotten: messages whose acks these were, and which may come again.
    :ivar late: other messages that came again after their ack.
    """

    sent: int = 0
    receipted: set[int] = field(default_factory=set)
    first_seen: list[int] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    repeats: int = 0
    in_hand: int = 0
    unsettled: int = 0
    acked: dict[int, float] = field(default_factory=dict)
    forgotten: set[int] = field(default_factory=set)
    late: list[int] = field(default_factory=list)

    def deliver(self, number: int) -> None:
        """Note a delivery."""
        if number not in self.seen:
            self.seen.add(number)
            self.first_seen.append(number)
            return
        self.repeats += 1
        if self.acked.pop(number, None) is not None and number not in self.forgotten:
            self.late.append(number)
        self.forgotten.discard(number)

    def kill(self) -> None:
        """Note that the hub was killed."""
        now = time.monotonic()
        recent = {number for number, acked in self.acked.items() if now - acked <= GROUP + LAG}
        self.unsettled += len(recent)
        self.forgotten |= recent


class Life:
    """One life of the hub, with its sender and its reader."""

    def __init__(self, port: int, record: Record) -> None:
        self._record = record
        self._sender, self._reader = StompSocket(port), StompSocket(port)
        self._reader.send("SUBSCRIBE", id="1", destination="/queue/jobs", ack="client", prefetch_count=str(PREFETCH))
        self._in_hand: dict[int, str] = {}
        """Their ids for the ack."""

    def step(self) -> None:
        """Send some messages, and read and ack what has come."""
        record = self._record
        numbers = range(record.sent, record.sent + SENT_AT_ONCE)
        frames = [
            self._sender.encoded("SEND", b"%d" % number, destination="/queue/jobs", receipt=str(number))
            for number in numbers
        ]
        self._sender.socket.sendall(b"".join(frames))
        record.sent = numbers.stop
        self.receipts(0.002)
        self.read(0.002, 0.5)

    def receipts(self, seconds: float) -> None:
        found = self._sender.rest(seconds)
        assert not [frame for frame in found if frame.command == "ERROR"]
        self._record.receipted.update(int(frame.headers["receipt-id"]) for frame in found)

    def read(self, seconds: float, ack: float) -> None:
        """Read what comes. :param ack: the part that is acked of what is in hand, the oldest first."""
        for frame in self._reader.rest(seconds):
            assert frame.command == "MESSAGE", frame
            self._in_hand[int(frame.body)] = frame.headers["ack"]
            self._record.deliver(int(frame.body))
        if done := [*self._in_hand][: math.ceil(len(self._in_hand) * ack)]:
            self._reader.send("ACK", id=self._in_hand[done[-1]])
            self._record.acked.update(dict.fromkeys(done, time.monotonic()))
            for number in done:
                del self._in_hand[number]

    def end(self) -> None:
        """Read what the hub had sent before it was killed."""
        self.receipts(5)
        self.read(5, 0)
        self._record.in_hand += len(self._in_hand)
        self.close()

    def close(self) -> None:
        self._sender.socket.close()
        self._reader.socket.close()


def wait_for(hub: RunningHub, port: int) -> None:
    """Until the hub listens."""

    def is_there() -> bool:
        assert hub.process.poll() is None, hub.log
        return listens(port)

    wait_until(is_there, 60, "the hub to listen")


def work_and_kill(hub: RunningHub, port: int, record: Record, seconds: float) -> None:
    """Let the clients work for so long, and kill the hub under them."""
    life = Life(port, record)
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            life.step()
    finally:
        hub.process.kill()
    record.kill()
    hub.process.wait()
    life.end()


def read_all(hub: RunningHub, port: int, record: Record) -> None:
    """Read until the queue is empty."""
    life = Life(port, record)

    def drained() -> bool:
        life.read(0.05, 1)
        return bool(hub.consumer("jobs")["backlog"] == 0)

    wait_until(drained, 60, "the queue to be empty")
    life.close()


def test_nothing_with_a_receipt_is_lost_and_the_order_is_kept(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    print(f"{KILLS} kills, seed {SEED}")
    port, record = free_port(), Record()
    hub = RunningHub(tmp_path, CONFIGURATION.format(port=port), ready=False)
    for kill in range(KILLS):
        with hub:
            if kill % 4 == 3:  # while it starts
                time.sleep(chance.uniform(0.0, 1.0))
                hub.process.kill()
            else:
                wait_for(hub, port)
                work_and_kill(hub, port, record, chance.uniform(0.0, 0.5 * PATIENCE))
    with hub:
        wait_for(hub, port)
        read_all(hub, port, record)
        assert hub.stop() == 0
    print(f"{record.sent} sent, {len(record.receipted)} with a receipt, {len(record.seen)} seen")
    print(f"{record.repeats} repeats; {record.in_hand} were in hand, {record.unsettled} acked just before a kill")
    assert len(record.receipted) > KILLS
    lost = record.receipted - record.seen
    assert not lost, sorted(lost)[:20]
    assert record.seen <= set(range(record.sent))
    assert record.first_seen == sorted(record.first_seen)
    assert not record.late, record.late[:20]
    assert record.repeats <= record.in_hand + record.unsettled
