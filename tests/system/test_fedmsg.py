"""Real fedmsg 1.1.7 publishes; four consumers each get all of it, in order; PostgreSQL holds it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import bus_messages, free_port, wait_until
from tests.system.hubs import RunningHub
from tests.system.postgres import Postgres

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

RECORDER = """
import json
from hub import Consumer

class Recorder(Consumer):
    def start(self):
        self.file = open(f"{self.context.name}.jsonl", "ab")
    def consume(self, message):
        self.file.write(message.body.replace(b"\\n", b" ") + b"\\n")
        self.file.flush()
"""


@contextmanager
def publishing(python: Path, endpoint: str, messages: Path, hub: RunningHub) -> Iterator[None]:
    """All messages have been published when this is entered."""
    script = str(Path(__file__).with_name("fedmsg_publisher.py"))
    command = [str(python), script, endpoint, str(messages)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as publisher:
        assert publisher.stdin is not None
        assert publisher.stdout is not None
        before = hub.status()["hub"]["unrouted"]
        wait_until(lambda: hub.status()["hub"]["unrouted"] > before, 60, "the publisher's first probe")
        publisher.stdin.write("go\n")
        assert publisher.stdout.readline() == "344\n"
        yield
        publisher.stdin.write("end\n")


def configured(endpoint: str, database: str, topics: str) -> str:
    consumers = "".join(f'[consumers.r{n}]\ntype = "recorder.py:Recorder"\ntopics = {topics}\n' for n in range(3))
    return f"""
        [backends.bus]
        type = "zeromq"
        bind = ["{endpoint}"]
        [consumers.archive]
        type = "archive"
        topics = {topics}
        database = "{database}"
        {consumers}
    """


def test_all_messages_arrive_in_order_in_each_consumer_and_in_postgresql(
    tmp_path: Path, fedmsg_python: Path, postgres: Postgres
) -> None:
    recorded = [json.loads(line) for line in bus_messages()]
    assert len(recorded) == 344
    messages = tmp_path / "messages.jsonl"
    messages.write_bytes(b"\n".join(bus_messages()) + b"\n")
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    database = postgres.create_database()
    (tmp_path / "recorder.py").write_text(RECORDER)
    topics = sorted({record["topic"].partition(".")[0] + ".#" for record in recorded})
    configuration = configured(endpoint, database, json.dumps(topics))
    with RunningHub(tmp_path, configuration) as hub, publishing(fedmsg_python, endpoint, messages, hub):
        for name in ("r0", "r1", "r2", "archive"):
            hub.wait_for(name, "finished", 344)
        assert hub.stop() == 0
    wanted = [(record["topic"], record["msg"]) for record in recorded]
    for name in ("r0", "r1", "r2"):
        bodies = [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_bytes().splitlines()]
        assert [(body["topic"], body["msg"]) for body in bodies] == wanted
        assert [body["i"] for body in bodies] == sorted(body["i"] for body in bodies)
    assert postgres.count(database, "messages") == 344
    first_run = (tmp_path / "r0.jsonl").read_bytes().splitlines()

    # A second run on the same state, given the same messages byte for byte: nothing is double.
    again = tmp_path / "again.jsonl"
    again.write_bytes(b"\n".join(first_run) + b"\n")
    with RunningHub(tmp_path, configuration) as hub:
        hub.command("feed", str(again), "--quiet")
        hub.wait_for("archive", "finished", 344)
        assert hub.stop() == 0
    assert postgres.count(database, "messages") == 344
