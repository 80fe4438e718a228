"""PostgreSQL goes away again and again while a STOMP client sends jobs: none with a RECEIPT is lost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from hub.jobs import Jobs
from tests.faults.size import SEED, sized
from tests.support import wait_until
from tests.system.postgres import Postgres, running_postgres
from tests.system.stomp_socket import StompSocket
from tests.system.test_stomp_jobs import WORK, JobHub

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(300, 1800))]

RESTARTS = sized(3, 40)
AT_ONCE = 10
"""Jobs that are sent at once."""


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


class Sender(threading.Thread):
    """Sends jobs until it is stopped, and connects anew whenever it is told off.

    :ivar sent: how many were sent; their bodies are numbers. :ivar receipted: those that have their RECEIPT.
    """

    def __init__(self, port: int) -> None:
        super().__init__()
        self.sent = self.errors = 0
        self.receipted: set[int] = set()
        self.stopped = threading.Event()
        self._port = port

    def run(self) -> None:
        while not self.stopped.is_set():
            with StompSocket(self._port) as client, suppress(ConnectionError):
                self._send(client)

    def _send(self, client: StompSocket) -> None:
        waiting: set[int] = set()
        while not client.over and not (self.stopped.is_set() and not waiting):
            if not self.stopped.is_set() and len(waiting) < 10 * AT_ONCE:
                numbers = range(self.sent, self.sent + AT_ONCE)
                frames = [client.encoded("SEND", b"%d" % n, destination=WORK, receipt=str(n)) for n in numbers]
                self.sent = numbers.stop
                waiting.update(numbers)
                client.socket.sendall(b"".join(frames))
            for frame in client.rest(0.01):
                if frame.command == "ERROR":
                    self.errors += 1
                    return
                assert frame.command == "RECEIPT", frame
                waiting.discard(int(frame.headers["receipt-id"]))
                self.receipted.add(int(frame.headers["receipt-id"]))


def test_no_job_with_a_receipt_is_lost(server: Postgres, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    dsn = server.create_database()
    with JobHub(tmp_path / "hub", dsn) as hub:
        sender = Sender(hub.port)
        sender.start()
        try:
            for number in range(RESTARTS):
                before = len(sender.receipted)
                wait_until(lambda before=before: len(sender.receipted) > before, 60, "receipts")  # type: ignore[misc]
                time.sleep(chance.uniform(0.0, 0.5))
                if number % 2:
                    server.restart()
                else:  # as after a crash
                    server.stop()
                    server.start()
        finally:
            sender.stopped.set()
            sender.join()
        assert hub.stop() == 0
    found = bodies(dsn)
    print(
        f"{RESTARTS} restarts, seed {SEED}: {sender.sent} sent, {len(sender.receipted)} receipts,"
        f" {sender.errors} ERRORs, {len(found)} jobs, {len(found) - len(set(found))} of them twice"
    )
    assert sender.receipted <= set(found)
    assert set(found) <= set(range(sender.sent))


def bodies(dsn: str) -> list[int]:
    """Bodies of all jobs that wait."""
    found = []
    with Jobs(dsn) as jobs:
        while claimed := jobs.claim(1000):
            found += [int(job.body) for job in claimed]
            jobs.complete(claimed)
    return found
