"""The log of a real hub: a burst of errors, levels that a reload changes, lines for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.logs.collapse import REPEATS
from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

CONSUMERS = """
from hub import Consumer, Reject

class Fussy(Consumer):
    def consume(self, message):
        self.log.debug("I have it", extra={"action": "greet"})
        raise Reject("a bad one\\n{}\\x1b[31m")
"""
CONFIGURATION = """
[hub]
log_format = "json"
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:{port}"]
[consumers.fussy]
type = "consumers.py:Fussy"
"""
BURST = 40


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[RunningHub]:
    (tmp_path / "consumers.py").write_text(CONSUMERS)
    (tmp_path / "messages.jsonl").write_text('{"topic": "org.example.a", "msg": {}}\n' * BURST)
    with RunningHub(tmp_path, CONFIGURATION.format(port=free_port())) as running:
        yield running


def lines(hub: RunningHub, **fields: object) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in hub.log.split("\n") if line.endswith("}")]
    return [line for line in found if fields.items() <= line.items()]


def feed(hub: RunningHub, dead: int) -> None:
    hub.command("feed", "messages.jsonl", "--quiet")
    hub.wait_for("fussy", "dead", dead)


def test_a_burst_that_ends_is_counted_without_another_line(hub: RunningHub) -> None:
    feed(hub, BURST)
    wait_until(lambda: lines(hub, repeated=BURST - REPEATS), 20, "the number")
    (counted,) = lines(hub, repeated=BURST - REPEATS)
    assert (counted["action"], counted["consumer"], counted["level"]) == ("bury", "fussy", "error")
    assert counted["message"].startswith(f"... and {BURST - REPEATS} more like it in 10 s, the last: message '")
    assert len(lines(hub, action="bury")) == REPEATS + 1


def test_what_is_left_at_a_stop_is_counted_too(hub: RunningHub) -> None:
    feed(hub, BURST)
    assert hub.stop() == 0
    assert len(lines(hub, repeated=BURST - REPEATS)) == 1


def test_a_reload_changes_the_level_of_one_part(hub: RunningHub) -> None:
    feed(hub, BURST)
    assert lines(hub, action="greet") == []
    text = hub.file.read_text()
    hub.file.write_text(text.replace("[hub]\n", '[hub]\nlog_levels = {"consumer.fussy" = "debug"}\n'))
    hub.command("reload")
    feed(hub, 2 * BURST)
    wait_until(lambda: len(lines(hub, action="greet", level="debug", attempt=1)) == BURST, 20, "a line for each")
    hub.file.write_text(text)
    hub.command("reload")
    feed(hub, 3 * BURST)
    assert len(lines(hub, action="greet")) == BURST
