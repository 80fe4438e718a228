"""Real hub processes, used as their users use them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq

from tests.support import PATIENCE, free_port, wait_until
from tests.system.hubs import HUBBUB, RunningHub

pytestmark = pytest.mark.system

CONSUMERS = """
import time
from hub import Consumer, Settings, setting

class Timed(Consumer):
    class Config(Settings):
        delay: float = setting(0.0, "Seconds for each message.")
        word: str = setting("", "Any.")

    def consume(self, message):
        time.sleep(self.config.delay)
        if message.topic.endswith("exit"):
            raise SystemExit(3)
        if message.topic.endswith("memory"):
            raise MemoryError
        if message.topic.endswith("hang"):
            time.sleep(3600)
        if message.topic.endswith("publish"):
            self.context.publish("org.example.answer", {"to": message.id})
"""


def bus(endpoint: str) -> str:
    return f'[backends.bus]\ntype = "zeromq"\nbind = ["{endpoint}"]\npublish_connect = ["{endpoint}"]\n'


def consumer(name: str, **settings: Any) -> str:
    lines = [f"[consumers.{name}]", 'type = "timed.py:Timed"', *(f"{k} = {json.dumps(v)}" for k, v in settings.items())]
    return "\n".join(lines) + "\n"


@pytest.fixture
def endpoint(tmp_path: Path) -> str:
    (tmp_path / "timed.py").write_text(CONSUMERS)
    return f"tcp://127.0.0.1:{free_port()}"


def feed(hub: RunningHub, count: int, *options: str, topic: str = "org.example.a") -> None:
    messages = hub.directory / "messages.jsonl"
    messages.write_text("".join(json.dumps({"topic": topic, "msg": n}) + "\n" for n in range(count)))
    hub.command("feed", str(messages), "--quiet", *options)


def counts_at_the_end(hub: RunningHub, name: str) -> dict[str, int]:
    said = re.findall(rf"consumer {name}: (received .*)", hub.log)[-1]
    return {key: int(number) for key, number in re.findall(r"(\w+) (\d+)", said)}


def test_a_stop_in_backlog_finishes_what_is_in_hand_and_the_counts_add_up(tmp_path: Path, endpoint: str) -> None:
    with RunningHub(tmp_path, bus(endpoint) + consumer("slow", delay=0.1)) as hub:
        feed(hub, 200)
        hub.wait_for("slow", "received", 200)
        began = time.monotonic()
        assert hub.stop() == 0
        assert time.monotonic() - began < 5 * PATIENCE
        counts = counts_at_the_end(hub, "slow")
    assert counts["received"] == 200
    assert counts["left"] > 0
    assert counts["finished"] + counts["left"] == 200


def test_a_second_signal_ends_it_at_once(tmp_path: Path, endpoint: str) -> None:
    configuration = '[hub]\nstop_timeout = "1h"\n' + bus(endpoint) + consumer("slow", delay=3600)
    with RunningHub(tmp_path, configuration) as hub:
        feed(hub, 1)
        hub.wait_for("slow", "in_flight", 1)
        hub.process.send_signal(signal.SIGTERM)
        wait_until(lambda: "stopping" in hub.log, 10, "the stop to begin")
        assert hub.stop(timeout=5) == -signal.SIGTERM


def test_a_consumer_that_does_not_finish_in_time_is_named(tmp_path: Path, endpoint: str) -> None:
    configuration = '[hub]\nstop_timeout = "300ms"\n' + bus(endpoint) + consumer("slow", delay=3600)
    with RunningHub(tmp_path, configuration) as hub:
        feed(hub, 1)
        hub.wait_for("slow", "in_flight", 1)
        assert hub.stop(signal.SIGINT, timeout=10) == 0
        assert "consumer slow did not finish its message in time" in hub.log
        assert counts_at_the_end(hub, "slow")["left"] == 1


def test_a_slow_consumer_does_not_hold_up_a_fast_one(tmp_path: Path, endpoint: str) -> None:
    def ages(directory: Path, others: str) -> float:
        with RunningHub(directory, bus(endpoint) + consumer("fast") + others) as hub:
            feed(hub, 600, "--rate", "300")
            hub.wait_for("fast", "finished", 600)
            if others:
                assert hub.consumer("slow")["finished"] == 0
            return float(hub.consumer("fast")["age_at_finish"]["p50"])  # half of them may have met a busy machine

    alone = ages(tmp_path, "")
    beside = ages(tmp_path, consumer("slow", delay=3600))
    assert beside < max(5 * alone, 0.5)


def test_reloads_under_load_lose_and_repeat_nothing(tmp_path: Path, endpoint: str) -> None:
    configuration = bus(endpoint) + consumer("steady") + consumer("changing", word="a")
    with RunningHub(tmp_path, configuration) as hub:
        messages = tmp_path / "load.jsonl"
        messages.write_text('{"topic": "org.example.a", "msg": {}}\n' * 2000)
        command = [str(HUBBUB), "feed", str(messages), "--quiet", "--rate", "800", "-c", str(hub.file)]
        with subprocess.Popen(command) as feeding:
            for number in range(20):
                hub.file.write_text(configuration.replace('"a"', f'"{number}"'))
                assert "consumer changing: changed" in hub.command("reload").stdout
            hub.file.write_text("[consumers.changing]\nword = 5\n")
            refused = hub.command("reload", check=False)
            assert (refused.returncode, "must be set" in refused.stderr) == (78, True)
            hub.file.write_text(configuration)
            assert feeding.wait(60 * PATIENCE) == 0
        for name in ("steady", "changing"):
            hub.wait_for(name, "finished", 2000)
            row = hub.consumer(name)
            assert (row["received"], row["finished"], row["backlog"]) == (2000, 2000, 0)


def test_a_removed_consumer_keeps_its_backlog_and_finds_it_again(tmp_path: Path, endpoint: str) -> None:
    with RunningHub(tmp_path, bus(endpoint) + consumer("fast") + consumer("slow", delay=2)) as hub:
        feed(hub, 50)
        hub.wait_for("slow", "received", 50)
        hub.file.write_text(bus(endpoint) + consumer("fast"))
        hub.process.send_signal(signal.SIGHUP)
        wait_until(lambda: hub.consumer("slow")["state"] == "orphan", 10, "the orphan")
        left = hub.consumer("slow")["backlog"]
        assert left > 30
        hub.file.write_text(bus(endpoint) + consumer("fast") + consumer("slow"))
        hub.command("reload")
        hub.wait_for("slow", "finished", 50)


def test_a_flood_into_a_full_queue_is_counted(tmp_path: Path, endpoint: str) -> None:
    slow = consumer("slow", delay=3600, max_backlog=1000) + consumer("fast")
    with RunningHub(tmp_path, bus(endpoint) + slow) as hub:
        feed(hub, 20_000)
        hub.wait_for("fast", "finished", 20_000)
        row = hub.consumer("slow")
        assert (row["received"], row["backlog"], row["dropped"]) == (20_000, 1000, 19_000)


def test_a_consumer_that_hangs_is_named_with_its_stack_and_the_others_go_on(tmp_path: Path, endpoint: str) -> None:
    with RunningHub(
        tmp_path, bus(endpoint) + consumer("stuck", timeout="1s") + consumer("other", topics=["x.#"])
    ) as hub:
        hub.command("publish", "org.example.hang", "{}")
        wait_until(lambda: "has been busy with message" in hub.log, 10, "the report")
        hub.logs("time.sleep(3600)")
        assert hub.consumer("stuck")["state"] == "stuck"
        feed(hub, 10, topic="x.y")
        hub.wait_for("other", "finished", 10)


def test_whatever_a_consumer_raises_the_hub_goes_on(tmp_path: Path, endpoint: str) -> None:
    with RunningHub(tmp_path, bus(endpoint) + consumer("c", max_attempts=2, backoff="10ms")) as hub:
        for word in ("exit", "memory", "fine"):
            hub.command("publish", f"org.example.{word}", "{}")
        hub.wait_for("c", "dead", 2)
        hub.wait_for("c", "finished", 1)
        row = hub.consumer("c")
        assert (row["failed"], row["retried"], row["threads"]) == (4, 2, 1)
        letters = [json.loads(line) for line in hub.command("dead", "list", "c", "--json").stdout.splitlines()]
        assert {letter["error"] for letter in letters} == {"SystemExit", "MemoryError"}
        assert all("timed.py" in letter["traceback"] and letter["attempts"] == 2 for letter in letters)
        assert "failed 2 times" in hub.command("dead", "list", "c", "--traceback").stdout


def test_what_a_consumer_publishes_goes_out_and_what_the_command_publishes_comes_in(
    tmp_path: Path, endpoint: str
) -> None:
    with RunningHub(tmp_path, bus(endpoint) + consumer("c")) as hub:
        tailing = [str(HUBBUB), "tail", "org.example.answer", "--json", "-n", "1", "-c", str(hub.file)]
        with subprocess.Popen(tailing, stdout=subprocess.PIPE, text=True) as tail:
            wait_until(lambda: hub.client.get("/status"), 20, "the hub")
            sent: set[str] = set()

            def answered() -> bool:
                sent.add(hub.command("publish", "org.example.publish", '{"a": 1}').stdout.strip())
                return tail.poll() is not None

            wait_until(answered, 20, "the answer")
            assert tail.stdout is not None
            row = json.loads(tail.stdout.read())
        assert row["topic"] == "org.example.answer"
        assert row["body"]["msg"]["to"] in sent
        assert set(row["body"]) == {"i", "msg", "msg_id", "timestamp", "topic", "username"}
        before = hub.consumer("c")["received"]
        hub.command("publish", "--through-hub", "org.example.b", "plain words")
        hub.wait_for("c", "received", before + 1)


def test_a_second_hub_on_the_same_socket_is_refused(tmp_path: Path, endpoint: str) -> None:
    with RunningHub(tmp_path, bus(endpoint)) as hub:
        second = hub.command("run", check=False)
        assert second.returncode == 78
        assert "in use by another hub, with pid" in second.stderr
        assert hub.status()["hub"]["state"] == "running"


def test_a_state_directory_that_can_not_be_made_is_said(tmp_path: Path, endpoint: str) -> None:
    configuration = f'[hub]\nstate_dir = "hub.conf/state"\ncontrol_socket = "{tmp_path}/sock"\n' + bus(endpoint)
    with RunningHub(tmp_path, configuration, ready=False) as hub:
        assert hub.process.wait(20 * PATIENCE) == 78
        assert "hub.state_dir: " in hub.log
        assert "Traceback" not in hub.log


def test_an_address_in_use_is_said(tmp_path: Path, endpoint: str) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with RunningHub(tmp_path, bus(endpoint)), RunningHub(other, bus(endpoint), ready=False) as second:
        assert second.process.wait(20 * PATIENCE) == 69
        assert f"{endpoint} can't be bound: Address already in use" in second.log
        assert "Traceback" not in second.log


@contextmanager
def raw_publisher(endpoint: str) -> Iterator[zmq.Socket[bytes]]:
    context = zmq.Context()
    socket = context.socket(zmq.XPUB)
    socket.connect(endpoint)
    assert socket.poll(20_000 * PATIENCE)
    socket.recv()
    yield socket
    context.destroy(linger=1000)


def test_bad_input_of_every_kind_is_counted_and_the_next_message_arrives(tmp_path: Path, endpoint: str) -> None:
    topic, good = b"org.example.a", b'{"msg": {}}'
    bad = {
        "frames": [[topic], [topic] * 3, [topic] * 9],
        "topic_encoding": [[b"org.\xff\xfe", good]],
        "not_json": [[topic, b""], [topic, b"nonsense"], [topic, b"[" * 100_000]],
        "not_an_object": [[topic, b"null"], [topic, b"[1, 2]"], [topic, b"5"]],
        "oversize": [[topic, b'{"a": "' + b"x" * (100 << 20) + b'"}']],
    }
    configuration = bus(endpoint) + consumer("c", topics=["#"])
    with RunningHub(tmp_path, configuration) as hub, raw_publisher(endpoint) as publisher:
        expected = 0
        for messages in bad.values():
            for message in messages:
                publisher.send_multipart(message)
                publisher.send_multipart([topic, good])
                expected += 1
        hub.wait_for("c", "finished", expected)
        malformed = hub.status()["backends"]["bus"]["malformed"]
        assert malformed == {kind: len(messages) for kind, messages in bad.items()}
        refused = sum(len(bad[kind]) for kind in ("not_json", "not_an_object", "oversize"))
        assert hub.status()["hub"]["refused"] == refused
        assert "Traceback" not in hub.log


def test_the_status_and_the_check_read_well(tmp_path: Path, endpoint: str) -> None:
    with RunningHub(tmp_path, bus(endpoint) + consumer("slow", delay=0.1)) as hub:
        feed(hub, 300)  # less than a minute's, also on a busy machine
        hub.wait_for("slow", "received", 300)
        wait_until(lambda: hub.consumer("slow")["catch_up_seconds"], 20, "an estimate")
        table = hub.command("status").stdout
        assert re.search(r"slow +running +\d+ +1 ", table)
        assert re.search(r"in \d+(\.\d)?s, \d\d:\d\d:\d\d", table)
        assert "consumer slow: " in hub.command("check").stdout
    gone = hub.command("status", check=False)
    assert (gone.returncode, "no hub is running" in gone.stderr) == (69, True)
    assert hub.command("frobnicate", check=False).returncode == 64
