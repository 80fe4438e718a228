"""What the web server of a real hub tells whoever reaches its port: nothing that was in a message or an error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.errors import HubError
from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub
from tests.system.web_client import WebClient, bearer

pytestmark = pytest.mark.system

SECRET = "hunter2"
CONSUMERS = f"""
import time
from hub import Consumer, Reject

class Database(Consumer):
    topics = ("org.example.#",)

    def consume(self, message):
        if message.topic.endswith("slow"):
            time.sleep(3600)
        raise Reject("cannot insert [parameters: %r]" % message.json()["msg"])

class Absent(Consumer):
    topics = ("org.example.#",)

    def start(self):
        raise OSError("no database at postgres://hub:{SECRET}@db.example.org/")

    def consume(self, message):
        pass
"""
HUB = """
[hub]
stop_timeout = "1s"
[backends.bus]
type = "zeromq"
bind = ["{endpoint}"]
publish_connect = ["{endpoint}"]
[consumers.database]
type = "consumers.py:Database"
threads = 2
[consumers.absent]
type = "consumers.py:Absent"
[servers.web]
type = "web"
listen = "127.0.0.1:{port}"
"""
OPEN = ("/", "/healthz", "/readyz", "/metrics", "/history", "/history/database", "/spikes/database", "/api/status")
OPEN_TOO = ("/api/openapi.json", "/api/peek/database", "/api/threads/database", "/api/dead/database", "/api/nothing")


@pytest.fixture
def failing(tmp_path: Path) -> Iterator[tuple[RunningHub, WebClient]]:
    """A hub with a consumer that fails on a message, is busy with another, and one that can't start."""
    (tmp_path / "consumers.py").write_text(CONSUMERS)
    port, endpoint = free_port(), f"tcp://127.0.0.1:{free_port()}"
    with RunningHub(tmp_path, HUB.format(port=port, endpoint=endpoint), ready=False) as hub:
        wait_until(lambda: listens(hub), 20, "the bus to be listened to")
        messages = [(f"org.example.{SECRET}", {"password": SECRET}), (f"org.example.{SECRET}.slow", {})]
        file = tmp_path / "messages.jsonl"
        file.write_text("".join(json.dumps({"topic": topic, "msg": body}) + "\n" for topic, body in messages))
        hub.command("feed", str(file), "--quiet")
        wait_until(lambda: complete(hub.status()), 20, "an error, a busy thread and a consumer that can't start")
        yield hub, WebClient(port)


def listens(hub: RunningHub) -> bool:
    """True if messages may be sent. It may never be ready, for a consumer does not start."""
    try:
        return bool(hub.status()["backends"]["bus"]["endpoints"])
    except HubError:
        return False


def complete(status: dict[str, Any]) -> bool:
    """True if all that there is to be told is in it."""
    told = json.dumps(status["consumers"]["database"]["last_error"])
    busy = [worker["topic"] for worker in status["consumers"]["database"]["workers"]]
    absent = status["consumers"]["absent"]["error"] or ""
    return told.count(SECRET) == 2 and f"org.example.{SECRET}.slow" in busy and SECRET in absent


def test_without_the_token_there_is_no_text_of_a_message_or_an_error(failing: tuple[RunningHub, WebClient]) -> None:
    _, client = failing
    for path in (*OPEN, *OPEN_TOO):
        assert SECRET not in client.ask("GET", path).body.decode(), path
    for snapshot in client.events(3):
        assert SECRET not in json.dumps(snapshot)

    def shown() -> tuple[object, object]:
        rows = client.ask("GET", "/api/status").json()["consumers"]
        return rows["absent"]["error"], (rows["database"]["last_error"] or {}).get("error")

    wait_until(lambda: shown() == ("OSError", "Reject"), 20, "the page's next second")
    assert "consumer absent is failing to start" in client.ask("GET", "/readyz").json()["reasons"]


def test_with_the_token_and_on_the_control_socket_there_is_all(failing: tuple[RunningHub, WebClient]) -> None:
    hub, client = failing
    token = bearer((hub.directory / "state" / "web.token").read_text().strip())
    wait_until(lambda: complete(client.ask("GET", "/api/status", **token).json()), 20, "the page's next second")
    assert all(complete(snapshot) for snapshot in client.events(2, **token))
    (whole, told) = hub.status(), client.ask("GET", "/api/status", **token).json()
    assert whole.keys() == told.keys()
    assert whole["consumers"]["absent"].keys() == told["consumers"]["absent"].keys()
