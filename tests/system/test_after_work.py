"""A real broker that is told after the work: RabbitMQ keeps what a queue in memory has not finished."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.checker import Records
from tests.support import PATIENCE, wait_until
from tests.system.hubs import RunningHub
from tests.system.rabbitmq import RabbitMQ

CONSUMERS = Path(__file__).parents[1] / "faults" / "consumers.py"
COUNT, PREFETCH = 400, 100


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RabbitMQ]:
    with RabbitMQ(tmp_path / "broker") as running:
        yield running


def publish(port: int) -> None:
    """Put the numbers from 1 on into the broker's queue ``work``, and wait for its receipt."""
    frames = [b"CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\n\n\0"]
    for number in range(1, COUNT + 1):
        receipt = b"receipt:all\n" if number == COUNT else b""
        head = b"SEND\ndestination:/queue/work\npersistent:true\namqp-message-id:n-%d\n%s\n" % (number, receipt)
        frames.append(head + json.dumps({"n": number}).encode() + b"\0")
    with socket.create_connection(("127.0.0.1", port), timeout=30 * PATIENCE) as bus:
        bus.sendall(b"".join(frames))
        answer = b""
        while b"RECEIPT" not in answer:
            answer += bus.recv(4096)


def configuration(directory: Path, port: int, pause: str) -> str:
    (directory / "passcode").write_text("guest")
    (directory / "passcode").chmod(0o600)
    (directory / "records").mkdir(exist_ok=True)
    return f"""
    [backends.bus]
    type = "stomp"
    connect = ["stomp://127.0.0.1:{port}"]
    login = "guest"
    passcode = "file:{directory}/passcode"
    destinations = ["/queue/work"]
    prefetch = {PREFETCH}
    confirm = "settled"

    [consumers.worker]
    type = "{CONSUMERS}:Recording"
    records = "{directory}/records"
    pause = "{pause}"
    durable = false
    threads = 2
    """


def left(broker: RabbitMQ) -> int:
    """Messages that the broker keeps, handed out or not."""
    rows = dict(line.split() for line in broker.control("list_queues", "name", "messages").splitlines())
    return int(rows["work"])


@pytest.mark.timeout(180)
def test_rabbitmq_gives_again_what_a_hub_that_ended_had_not_finished(tmp_path: Path, broker: RabbitMQ) -> None:
    publish(broker.port)
    records = Records(tmp_path / "records")
    slow, fast = (configuration(tmp_path, broker.port, pause) for pause in ("5ms", "0s"))

    with RunningHub(tmp_path, slow) as hub:
        wait_until(lambda: records.did("worker").total() >= 100, 60, "some work")
        assert hub.stop() == 0
    done = records.did("worker")
    wait_until(lambda: left(broker) == COUNT - done.total(), 20, "the broker to have the others")

    with RunningHub(tmp_path, slow) as hub:
        wait_until(lambda: records.did("worker").total() >= 200, 60, "more work")
        assert hub.status()["backends"]["bus"]["unconfirmed"] <= 100
        hub.process.kill()
        hub.process.wait()
    done = records.did("worker")
    assert max(done.values()) == 1
    assert COUNT - done.total() <= left(broker) <= COUNT - done.total() + PREFETCH  # finished, and not told yet

    with RunningHub(tmp_path, fast) as hub:
        wait_until(lambda: len(records.did("worker")) == COUNT, 60, "all work")
        wait_until(lambda: hub.status()["backends"]["bus"]["unconfirmed"] == 0, 20, "the confirmations")
        assert hub.stop() == 0
    wait_until(lambda: left(broker) == 0, 20, "the broker to have nothing left")
    assert records.did("worker").total() <= COUNT + PREFETCH
