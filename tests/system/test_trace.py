"""What became of a message, in each queue, asked of a real hub."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.store.durable import DurableStore
from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub
from tests.unit.doubles import RecordingLog

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

CONSUMERS = """
import threading
from pathlib import Path
from hub import Consumer, Reject, Retry, Settings, setting

class Fast(Consumer):
    def consume(self, message):
        self.log.info("I have it", extra={"action": "greet"})

class Slow(Consumer):
    def consume(self, message):
        while not (self.context.state_dir / "go").exists():
            threading.Event().wait(0.02)

class Later(Consumer):
    def consume(self, message):
        if not (self.context.state_dir / "go").exists():
            raise ConnectionError("the database is away\\x1b[31m")

class Fussy(Consumer):
    def consume(self, message):
        raise Reject("never heard of it")
"""
CONFIGURATION = """
[hub]
keep = "{keep}"
log_format = "json"
log_levels = {{"consumer.fast" = "info", "consumer" = "warning"}}
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:{port}"]
[consumers.fast]
type = "consumers.py:Fast"
[consumers.slow]
type = "consumers.py:Slow"
[consumers.fleeting]
type = "consumers.py:Slow"
durable = false
[consumers.later]
type = "consumers.py:Later"
backoff = "10m"
backoff_limit = "10m"
[consumers.fussy]
type = "consumers.py:Fussy"
"""


def configuration(directory: Path, keep: str = "0s") -> str:
    (directory / "consumers.py").write_text(CONSUMERS)
    return CONFIGURATION.format(keep=keep, port=free_port())


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    with RunningHub(tmp_path, configuration(tmp_path)) as running:
        yield running


def publish(hub: RunningHub, topic: str = "org.example.a") -> str:
    """Returns the message's id: the dead letter's, for one consumer rejects all."""
    before = {letter["id"] for letter in letters(hub)}
    hub.command("publish", topic, "{}")
    wait_until(lambda: {letter["id"] for letter in letters(hub)} - before, 20, "the dead letter")
    (found,) = {letter["id"] for letter in letters(hub)} - before
    return str(found)


def letters(hub: RunningHub) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hub.client.get("/dead/fussy")["dead_letters"]
    return found


def traced(hub: RunningHub, id_: str, *options: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(hub.command("trace", id_, "--json", *options).stdout)
    return answer


def fates(hub: RunningHub, id_: str) -> dict[str, dict[str, Any]]:
    (message,) = traced(hub, id_)["messages"]
    return {fate["queue"]: fate for fate in message["queues"]}


def states(hub: RunningHub, id_: str) -> dict[str, str]:
    return {queue: fate["state"] for queue, fate in fates(hub, id_).items()}


SETTLED = dict.fromkeys(("fast", "slow", "fleeting", "later"), "settled")
FIRST = {"fast": "settled", "slow": "in flight", "fleeting": "in flight", "later": "retry", "fussy": "dead letter"}


def test_each_queue_tells_what_became_of_a_message(hub: RunningHub) -> None:
    first = publish(hub)
    second = publish(hub)
    wait_until(lambda: states(hub, first) == FIRST, 20, "the first one's fate")
    wait_until(lambda: states(hub, second) == {**FIRST, "slow": "waiting", "fleeting": "waiting"}, 20, "the second's")
    found = fates(hub, first)
    assert found["slow"]["thread"] == "hubbub-slow-1"
    assert 0 <= found["slow"]["seconds"] < 60
    assert found["later"]["attempts"] == 1
    assert found["later"]["reason"].startswith("ConnectionError: the database is away")
    assert time.time() < found["later"]["due"] < time.time() + 601
    assert (found["fussy"]["number"], found["fussy"]["reason"]) == (1, "never heard of it")
    assert [fates(hub, second)[queue]["before"] for queue in ("slow", "fleeting")] == [1, 1]
    text = hub.command("trace", second).stdout
    assert "by bus, topic org.example.a" in text
    assert "waiting      behind 1" in text
    assert "\x1b" not in text


def test_what_is_done_with_is_gone_or_kept_as_configured(tmp_path: Path) -> None:
    text = configuration(tmp_path)
    with RunningHub(tmp_path, text) as hub:
        id_ = publish(hub)
        (tmp_path / "state" / "go").touch()
        hub.client.post("/delete-dead", {"consumer": "fussy", "numbers": [1]})
        wait_until(lambda: set(states(hub, id_).values()) <= {"settled", "retry"}, 20, "the others")
        nowhere = hub.command("trace", "no-such-id", check=False)
        assert nowhere.returncode == 1
        assert nowhere.stdout.startswith("not in the store: not received, or settled")
        assert "keep = 0s" in nowhere.stdout
        assert hub.stop() == 0
    hub.file.write_text(text.replace('keep = "0s"', 'keep = "1h"'))
    with hub:
        kept = publish(hub)
        wait_until(lambda: states(hub, kept) == {**SETTLED, "fussy": "dead letter"}, 20, "all of it")
        assert traced(hub, kept, "--since", "1h")["complete"]
        assert hub.stop() == 0
    store = DurableStore(tmp_path / "state", RecordingLog(), keep=3600)
    assert len([one for found, _ in store.find(kept, 0.0) for one in found]) == 1
    store.close()


def by_action(hub: RunningHub) -> dict[tuple[str | None, str | None], dict[str, Any]]:
    """The last line of each action of each consumer; one may be half written."""
    lines = [json.loads(line) for line in hub.log.split("\n") if line.endswith("}")]
    return {(line.get("action"), line.get("consumer")): line for line in lines}


def test_a_line_of_the_consumers_own_says_which_message_it_is_about(hub: RunningHub) -> None:
    id_ = publish(hub)
    wait_until(lambda: states(hub, id_)["later"] == "retry", 20, "the retry")
    told = [("greet", "fast"), ("retry", "later"), ("bury", "fussy")]
    wait_until(lambda: by_action(hub).keys() >= set(told), 20, "the lines in the log")
    lines = by_action(hub)
    for key in told:
        line = lines[key]
        assert (line["topic"], line["message_id"], line["attempt"]) == ("org.example.a", id_, 1), line
    assert {line["level"] for (_, consumer), line in lines.items() if consumer == "later"} == {"warning"}
