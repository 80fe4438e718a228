"""A hub whose consumers do badly in every way: each way of looking at it says so, in the same words."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hub.stats.reading import words
from tests.support import free_port, wait_until
from tests.system.hubs import HUBBUB, RunningHub
from tests.system.web_client import WebClient

pytestmark = pytest.mark.system

CONSUMERS = """
from hub import Consumer, Reject, Retry

class Failing(Consumer):
    def consume(self, message):
        raise OSError("no database")

class Retrying(Consumer):
    def consume(self, message):
        raise Retry(delay=1)

class Rejecting(Consumer):
    def consume(self, message):
        raise Reject("not for me")

class Ticking(Consumer):
    every = 0.05
    def consume(self, message):
        pass
    def tick(self):
        raise KeyError("tick")

class Losing(Consumer):
    def start(self):
        self.log.info("started")
    def consume(self, message):
        import threading
        threading.Event().wait(3600)
"""
REASON = "attempts since a message was last finished failed, the last with OSError"
WANTED = {
    "failing": "failing",
    "retrying": "retrying",
    "rejecting": "rejecting",
    "ticking": "ticking badly",
    "losing": "losing",
    "well": "running",
}


@pytest.fixture
def web() -> WebClient:
    return WebClient(free_port())


@pytest.fixture
def hub(tmp_path: Path, web: WebClient) -> Iterator[RunningHub]:
    (tmp_path / "bad.py").write_text(CONSUMERS)
    text = f"""
        [hub]
        stop_timeout = "1s"
        [backends.bus]
        type = "zeromq"
        bind = ["tcp://127.0.0.1:{free_port()}"]
        [servers.web]
        type = "web"
        listen = "127.0.0.1:{web.port}"
        [consumers.well]
        type = "slow"
        delay = 0
    """
    for name in ("Failing", "Retrying", "Rejecting", "Ticking", "Losing"):
        text += f'[consumers.{name.lower()}]\ntype = "bad.py:{name}"\nbackoff = "10ms"\nbackoff_limit = "50ms"\n'
    text += 'overflow = "drop_newest"\nmax_backlog = 5\n'
    with RunningHub(tmp_path, text) as running:
        messages = tmp_path / "messages.jsonl"
        messages.write_text("".join(f'{{"topic": "org.example.a", "msg": {number}}}\n' for number in range(20)))
        running.command("feed", str(messages), "--quiet")
        running.wait_for("well", "finished", 20)
        yield running


def every_one_is_told(hub: RunningHub) -> bool:
    rows = hub.status()["consumers"]
    return all(word in words(rows[name]) for name, word in WANTED.items())


def test_every_way_of_looking_at_a_consumer_that_does_badly_says_so(hub: RunningHub, web: WebClient) -> None:
    wait_until(lambda: every_one_is_told(hub), 30, "all of them to do badly")
    rows = hub.status()["consumers"]
    assert rows["retrying"]["last_error"]["error"] == "Retry"
    assert rows["rejecting"]["rejected"] == 20
    table, shown = hub.command("status").stdout, hub.command("queue", "show", "failing").stdout
    for name, word in WANTED.items():
        assert any(name in line and word in line for line in table.splitlines()), (name, table)
    assert REASON in shown
    check = [str(HUBBUB), "check-backlog", "--json", "--config", str(hub.file)]
    checked = subprocess.run(check, capture_output=True, text=True, check=False, timeout=60)
    findings = [finding["text"] for finding in msgspec.json.decode(checked.stdout)["findings"]]
    assert checked.returncode == 2
    for name, word in WANTED.items():
        assert (word == "running") != any(text.startswith(f"{name}: {word}: ") for text in findings), (name, findings)


def test_a_consumer_that_does_badly_makes_the_hub_not_ready(hub: RunningHub, web: WebClient) -> None:
    wait_until(lambda: every_one_is_told(hub), 30, "all of them to do badly")
    told = {f"consumer {name} is {name}" for name in ("failing", "retrying", "rejecting", "losing")}

    def reasons() -> set[str]:
        return {reason.partition(": ")[0] for reason in hub.status()["hub"]["not_ready"]}

    wait_until(lambda: reasons() == told, 20, "these reasons alone")
    wait_until(lambda: set(web.ask("GET", "/readyz").json()["reasons"]) == told, 10, "the page's next snapshot")
    assert web.ask("GET", "/readyz").code == 503


def test_reasons_are_for_everybody_and_the_texts_of_errors_are_not(hub: RunningHub, web: WebClient) -> None:
    wait_until(lambda: every_one_is_told(hub), 30, "all of them to do badly")
    wait_until(lambda: REASON in web.ask("GET", "/api/status").body.decode(), 10, "the page's next snapshot")
    page = web.ask("GET", "/api/status").body.decode()
    assert "no database" not in page
    metrics = web.ask("GET", "/metrics").body.decode()
    assert 'hubbub_consumer_condition{condition="retrying",consumer="retrying"} 1.0' in metrics
    assert 'hubbub_consumer_condition{condition="failing",consumer="retrying"} 0.0' in metrics


def test_a_consumer_that_drops_and_settles_nothing_does_not_hold_steady(hub: RunningHub) -> None:
    wait_until(lambda: hub.consumer("losing")["dropped_by"]["newest"] == 15)
    row = hub.consumer("losing")
    assert row["rate_out"] in (None, 0.0)
    assert row["trend"] != "steady"
