"""Real hubs that relay to each other: a loop is broken, and while the other is away nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

RECORD = """
import json
from hub import Consumer

class Record(Consumer):
    def consume(self, message):
        with open(self.context.state_dir / "record.jsonl", "a") as file:
            row = {"topic": message.topic, "backend": message.backend, "headers": dict(message.headers)}
            file.write(json.dumps({**row, "body": message.json()}) + chr(10))
"""
BOTH_WAYS = """
[backends.left]
type = "zeromq"
bind = ["tcp://127.0.0.1:{left}"]
publish_connect = ["tcp://127.0.0.1:{other_left}"]
[backends.right]
type = "zeromq"
bind = ["tcp://127.0.0.1:{right}"]
publish_connect = ["tcp://127.0.0.1:{other_right}"]
[consumers.relay]
type = "relay"
to = ["left", "right"]
content = "msg"
[consumers.record]
type = "consumers.py:Record"
"""
SOURCE = """
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:{bus}"]
format = "raw"
[backends.far]
type = "stomp"
connect = ["stomp://127.0.0.1:{far}"]
publish = "/topic/{{topic}}"
reconnect_interval_max = "500ms"
[consumers.relay]
type = "relay"
only_from = ["bus"]
to = ["far"]
renamed = {{ "org.here" = "org.there" }}
"""
FAR = """
[backends.far]
type = "stomp-server"
listen = ["127.0.0.1:{far}"]
[consumers.record]
type = "consumers.py:Record"
topics = ["org.#"]
"""


def directory(path: Path) -> Path:
    path.mkdir()
    (path / "consumers.py").write_text(RECORD)
    return path


def recorded(hub: RunningHub) -> list[dict[str, object]]:
    file = hub.directory / "state" / "record.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def waiting(hub: RunningHub, count: int) -> bool:
    """Whether so many messages are finished, and wait in the outbox."""
    status = hub.status()
    return bool(status["backends"]["far"]["outbox_waiting"] >= count)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as found:
        yield found


def test_two_hubs_that_relay_both_ways_make_no_loop(tmp_path: Path, stack: ExitStack) -> None:
    ports = [free_port() for _ in range(4)]
    first, second = (
        RunningHub(
            directory(tmp_path / name),
            BOTH_WAYS.format(left=left, right=right, other_left=to_left, other_right=to_right),
        )
        for name, left, right, to_left, to_right in (
            ("first", ports[0], ports[1], ports[2], ports[3]),
            ("second", ports[2], ports[3], ports[0], ports[1]),
        )
    )
    for hub in (first, second):
        stack.enter_context(hub)
    headers = {"n": 3, "f": 1.5, "yes": True, "text": "ä"}
    flags = [
        flag
        for name, value in headers.items()
        if name != "text"
        for flag in ("--header", f"{name}:={json.dumps(value)}")
    ]
    wait_until(lambda: all(row["state"] == "connected" for row in first.status()["backends"].values()))
    first.command("publish", "a.b", '{"x": 1}', "--backend", "left", *flags, "--header", "text=ä")
    second.wait_for("relay", "finished", 1)
    second.wait_for("record", "finished", 1)
    (row,) = recorded(second)
    assert (row["topic"], row["backend"]) == ("a.b", "right")
    assert row["body"]["msg"] == {"x": 1}  # type: ignore[index]
    found = dict(row["headers"])  # type: ignore[call-overload]
    assert found.pop("hubbub.id")
    assert found == {**headers, "hubbub.via": "left"}
    assert second.consumer("relay")["own"] == {"relayed": 0, "loops_broken": 1}
    assert first.consumer("relay")["own"] == {"relayed": 1, "loops_broken": 0}
    assert (len(recorded(first)), first.stop(), second.stop()) == (1, 0, 0)


def test_nothing_is_lost_while_the_other_is_away_and_the_hub_is_killed(tmp_path: Path, stack: ExitStack) -> None:
    many, bus, far = 400, free_port(), free_port()
    messages = tmp_path / "messages.jsonl"
    rows = [json.dumps({"topic": f"org.here.{number}", "n": number}) + "\n" for number in range(many)]
    source = RunningHub(directory(tmp_path / "source"), SOURCE.format(bus=bus, far=far))
    target = RunningHub(directory(tmp_path / "target"), FAR.format(far=far))
    for begin in (0, many // 2):
        messages.write_text("".join(rows[begin : begin + many // 2]))
        running = stack.enter_context(source)
        running.command("feed", str(messages))
        wait_until(partial(waiting, source, begin + many // 2), 60, "all to wait for the other hub")
        running.process.kill()
        running.process.wait()
    stack.enter_context(target)
    stack.enter_context(source)
    target.wait_for("record", "finished", many)
    wait_until(lambda: source.status()["backends"]["far"]["outbox_waiting"] == 0, 20, "no message to wait any more")
    found = recorded(target)
    assert {str(row["topic"]) for row in found} == {f"org.there.{number}" for number in range(many)}
    assert {dict(row["headers"])["hubbub.via"] for row in found} == {"bus"}  # type: ignore[call-overload]
    assert (source.stop(), target.stop()) == (0, 0)
