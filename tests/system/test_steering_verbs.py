"""What an operator orders of a running hub: pauses, drains, threads. A real hub, its real control socket."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.errors import OrderRefused
from tests.support import PATIENCE, free_port, wait_until
from tests.system.hubs import RunningHub

pytestmark = pytest.mark.system

CONFIGURATION = """
[hub]
stop_timeout = "1s"
[backends.bus]
type = "zeromq"
bind = ["{endpoint}"]
publish_connect = ["{endpoint}"]
[consumers.one]
type = "slow"
delay = "1ms"
[consumers.two]
type = "slow"
delay = "1ms"
"""


@pytest.fixture
def configuration() -> str:
    return CONFIGURATION.format(endpoint=f"tcp://127.0.0.1:{free_port()}")


@pytest.fixture
def hub(tmp_path: Path, configuration: str) -> Iterator[RunningHub]:
    with RunningHub(tmp_path, configuration) as running:
        yield running


def feed(hub: RunningHub, count: int) -> None:
    before = hub.status()["hub"]["received"]
    messages = hub.directory / "messages.jsonl"
    messages.write_text("".join(json.dumps({"topic": "a.b", "n": n}) + "\n" for n in range(count)))
    hub.command("feed", str(messages), "--quiet")
    wait_until(lambda: hub.status()["hub"]["received"] >= before + count)


def test_a_paused_consumer_waits_and_the_other_goes_on(hub: RunningHub) -> None:
    hub.client.post("/pause", {"consumer": "one"})
    feed(hub, 50)
    hub.wait_for("two", "finished", 50)
    one = hub.consumer("one")
    assert (one["state"], one["backlog"], one["finished"]) == ("paused", 50, 0)
    assert [message["position"] for message in hub.client.get("/peek/one?count=3")["messages"]] == [0, 1, 2]
    hub.client.post("/resume", {"consumer": "one"})
    hub.wait_for("one", "finished", 50)
    assert hub.consumer("one")["state"] == "running"


def test_a_pause_outlives_the_hub(tmp_path: Path, configuration: str) -> None:
    with RunningHub(tmp_path, configuration) as hub:
        hub.client.post("/pause", {"consumer": "one"})
        hub.process.send_signal(signal.SIGKILL)
        hub.process.wait(10 * PATIENCE)
    with RunningHub(tmp_path, configuration) as hub:
        assert hub.consumer("one")["state"] == "paused"
        feed(hub, 5)
        hub.wait_for("two", "finished", 5)
        assert hub.consumer("one")["finished"] == 0
        hub.client.post("/resume", {"consumer": "one"})
        hub.wait_for("one", "finished", 5)


def test_a_pause_ends_at_its_time(hub: RunningHub) -> None:
    until = time.time() + 1.5
    told = hub.client.post("/pause", {"consumer": "one", "until": until})
    assert told["paused_until"] == pytest.approx(until)
    feed(hub, 5)
    hub.wait_for("one", "finished", 5, timeout=20)
    assert time.time() >= until
    assert (hub.consumer("one")["state"], hub.consumer("one")["paused_until"]) == ("running", None)


def test_a_drained_consumer_works_off_what_it_has_and_is_given_no_more(hub: RunningHub) -> None:
    feed(hub, 100)
    hub.client.post("/drain", {"consumer": "one"})
    wait_until(lambda: hub.consumer("one")["state"] == "drained")
    before = hub.consumer("one")["finished"]
    feed(hub, 10)
    hub.wait_for("two", "finished", 110)
    one = hub.consumer("one")
    assert (one["finished"], one["backlog"], one["dropped_by"]["drained"]) == (before, 0, one["received"] - before)
    assert one["received"] == 110
    hub.client.post("/resume", {"consumer": "one"})
    feed(hub, 3)
    hub.wait_for("one", "finished", before + 3)


def test_a_drained_hub_takes_nothing_and_is_not_ready_until_it_goes_on(hub: RunningHub) -> None:
    feed(hub, 100)
    hub.client.post("/drain-hub")
    wait_until(lambda: hub.status()["hub"]["backlog"] == 0)
    told = hub.status()["hub"]
    assert (told["draining"], told["ready"]) == (True, False)
    assert told["not_ready"] == ["the hub is drained: the buses are held back"]
    hub.client.post("/resume-hub")
    assert hub.status()["hub"]["ready"]
    feed(hub, 3)
    hub.wait_for("one", "finished", 103)


def test_threads_are_added_and_taken_away_under_load(hub: RunningHub) -> None:
    def threads() -> list[Any]:
        found: list[Any] = hub.client.get("/threads/one")["threads"]
        return found

    feed(hub, 300)
    answer = hub.client.post("/threads", {"consumer": "one", "count": 4})
    assert (answer["before"], answer["threads"], answer["queue"]["threads"], len(answer["workers"])) == (1, 4, 4, 4)
    assert len(threads()) == 4
    wait_until(lambda: "hub/workers/worker.py" in "".join(row["stack"] for row in threads()))
    hub.client.post("/threads", {"consumer": "one", "count": 2})
    wait_until(lambda: len(threads()) == 2)
    hub.wait_for("one", "finished", 300)
    one = hub.consumer("one")
    assert (one["failed"], one["finished"], one["threads_replaced"]) == (0, 300, 0)


def test_every_action_is_in_the_audit_log(hub: RunningHub) -> None:
    hub.client.post("/pause", {"consumer": "one"})
    with pytest.raises(OrderRefused):
        hub.client.post("/resume", {"consumer": "nobody"})
    entries = [json.loads(line) for line in (hub.directory / "state" / "audit.log").read_text().splitlines()]
    told = [(entry["action"], entry["order"]["consumer"]) for entry in entries]
    assert told == [("pause", "one"), ("resume", "nobody")]
    assert all("pid" in entry["who"] and abs(entry["time"] - time.time()) < 60 for entry in entries)


def test_the_utilisation_is_that_of_the_threads(hub: RunningHub) -> None:
    hub.client.post("/pause", {"consumer": "one"})
    feed(hub, 20_000)  # more than the seconds that it is told of
    hub.client.post("/resume", {"consumer": "one"})
    wait_until(lambda: (hub.consumer("one")["utilisation"] or 0) > 0.8, 20)
    histogram = hub.consumer("one")["consume_histogram"]
    assert histogram["sum"] > 0.2
    assert sum(histogram["counts"]) > 100
