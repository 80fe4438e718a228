"""Alerts by rule: when they are published, what they say, and that a restart repeats none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hub import Message
from hub.configuration.loading import load
from hub.consumer import Context
from hub.consumers.watch import Watch
from hub.errors import ConfigError, Unavailable
from hub.testing.bench import Benches
from tests.unit.doubles import RecordingLog

IDLE = {"backlog": 0, "catch_up_seconds": 0.0, "trend": "idle", "oldest_age": None}


class Watched:
    """A watch with a clock of its own, in a hub whose status the test writes."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.directory, self.settings = directory, settings
        self.now = 1000.0
        self.rows: dict[str, dict[str, Any]] = {"watch": {**IDLE}, "c": {**IDLE}}
        self.published: list[tuple[str, Any, str | None]] = []
        self.fails: Exception | None = None
        self.restart()

    def restart(self) -> None:
        self.log = RecordingLog()
        config = Watch.Config.model_validate(self.settings)
        around = Context(
            "watch", config, self.log, self._publish, self.directory, status=lambda: {"consumers": self.rows}
        )
        self.watch = Watch(around, lambda: self.now, lambda: self.now + 1e9)
        self.watch.start()

    def _publish(self, topic: str, body: Any, headers: object, backend: str | None) -> None:
        if self.fails is not None:
            raise self.fails
        self.published.append((topic, body, backend))

    def arrive(self, topic: str, ago: float = 0.0) -> None:
        self.watch.consume(Message("1", topic, b"", received_at=self.now + 1e9 - ago))

    def tick(self, seconds: float = 5.0) -> list[tuple[str, str]]:
        """What is published at the next tick: the rule and the state of each."""
        self.now += seconds
        before = len(self.published)
        self.watch.tick()
        return [(body["alert"], body["state"]) for _, body, _ in self.published[before:]]


def test_a_topic_that_falls_silent_is_told_once_and_so_is_its_end(tmp_path: Path) -> None:
    hub = Watched(tmp_path, silent={"a.#": "60s"}, backend="bus")
    assert hub.tick(55) == []
    hub.arrive("a.b")
    assert hub.tick(59) == []
    assert hub.tick(1) == [("silent", "raised")]
    assert hub.tick(500) == []
    hub.arrive("b")
    assert hub.tick() == []
    hub.arrive("a")
    assert hub.tick() == [("silent", "over")]
    topic, body, backend = hub.published[0]
    assert (topic, backend) == ("hubbub.alert.silent", "bus")
    assert body == {
        "alert": "silent",
        "state": "raised",
        "subject": "a.#",
        "value": 60.0,
        "limit": 60.0,
        "since": 1e9 + 1115.0,
        "time": 1e9 + 1115.0,
        "watch": "watch",
    }
    assert hub.published[1][1]["since"] == 1e9 + 1115.0


def test_what_waits_for_the_watch_itself_is_no_silence(tmp_path: Path) -> None:
    hub = Watched(tmp_path, silent={"a.#": "60s"})
    hub.rows["watch"]["oldest_age"] = 50.0
    assert hub.tick(100) == []
    assert hub.tick(10) == [("silent", "raised")]


def test_alerts_are_not_counted_themselves(tmp_path: Path) -> None:
    hub = Watched(tmp_path, silent={"#": "60s"})
    hub.now += 59
    hub.arrive("hubbub.alert.silent")
    assert hub.tick(1) == [("silent", "raised")]


def test_a_spike_must_last_and_its_end_too(tmp_path: Path) -> None:
    hub = Watched(tmp_path, spike={"a": "1/s"}, window="10s", hold="10s")
    found: list[tuple[float, str]] = []
    for count in [20] * 4 + [4] * 4 + [0] * 6:
        for _ in range(count):
            hub.arrive("a")
        found += [(hub.now, state) for _, state in hub.tick()]
    assert [state for _, state in found] == ["raised", "over"]
    assert found[1][0] - found[0][0] >= 10


def test_a_backlog_that_is_worked_off_late_is_no_spike(tmp_path: Path) -> None:
    hub = Watched(tmp_path, spike={"a": "1/s"}, window="10s", hold="0s")
    for ago in range(1000):
        hub.arrive("a", float(ago))
    assert hub.tick() == []


@pytest.mark.parametrize("kind", ["catch_up", "backlog"])
def test_a_consumer_beyond_its_limit_is_told_until_it_is_well_below(tmp_path: Path, kind: str) -> None:
    key = {"catch_up": "catch_up_seconds", "backlog": "backlog"}[kind]
    hub = Watched(tmp_path, **{kind: {"c": 100}}, hold="10s")
    states: list[str] = []
    for value in (100, 101, 99, 101, 101, 101, 99, 81, 101, 80, 79, 0, 0):
        hub.rows["c"] |= {key: value, "trend": "catching_up"}
        states += [f"{state} at {value}" for _, state in hub.tick()]
    assert states == ["raised at 101", "over at 0"]


def test_one_that_falls_behind_is_beyond_any_limit_and_unknown_is_no_change(tmp_path: Path) -> None:
    hub = Watched(tmp_path, catch_up={"c": "1d"}, hold="0s")
    hub.rows["c"] |= {"catch_up_seconds": None, "trend": "unknown"}
    assert hub.tick() == []
    hub.rows["c"]["trend"] = "falling_behind"
    assert hub.tick() == [("catch_up", "raised")]
    hub.rows["c"]["trend"] = "unknown"
    assert hub.tick() == []
    hub.rows["c"] = {**IDLE}
    assert hub.tick() == [("catch_up", "over")]


def test_a_restart_repeats_no_alert_and_forgets_none(tmp_path: Path) -> None:
    hub = Watched(tmp_path, backlog={"c": 10}, silent={"a": "60s"}, hold="0s")
    hub.rows["c"]["backlog"] = 11
    assert hub.tick(60) == [("silent", "raised"), ("backlog", "raised")]
    hub.restart()
    assert hub.watch.status() == {"rules": 2, "raised": 2, "first": ["backlog c", "silent a"]}
    hub.rows["c"]["backlog"] = 0
    assert hub.tick() == [("backlog", "over")]
    hub.restart()
    assert hub.tick() == []


def test_a_silence_ends_with_a_message_and_not_with_a_restart(tmp_path: Path) -> None:
    hub = Watched(tmp_path, silent={"a": "60s"})
    assert hub.tick(60) == [("silent", "raised")]
    for _ in range(3):
        hub.restart()
        assert [hub.tick(), hub.tick(100)] == [[], []], "neither its end, nor the same again"
    hub.restart()
    hub.arrive("b")
    assert hub.tick() == []
    hub.arrive("a", ago=500.0)
    assert hub.tick() == [("silent", "over")], "it waited from before the start"
    assert hub.tick(60) == [("silent", "raised")]


def test_what_is_no_rule_any_more_is_forgotten(tmp_path: Path) -> None:
    hub = Watched(tmp_path, backlog={"c": 10}, hold="0s")
    hub.rows["c"]["backlog"] = 11
    assert hub.tick() == [("backlog", "raised")]
    hub.settings = {"backlog": {"d": 10}}
    hub.restart()
    assert (hub.watch.status()["raised"], hub.tick()) == (0, [])
    assert json.loads((tmp_path / "watch-watch.json").read_text()) == {}


def test_an_alert_that_can_not_be_published_is_tried_again_and_holds_up_no_other(tmp_path: Path) -> None:
    hub = Watched(tmp_path, backlog={"c": 10, "d": 10}, hold="0s")
    hub.rows["c"]["backlog"] = 11
    hub.fails = Unavailable("away")
    with pytest.raises(Unavailable):
        hub.tick()
    hub.fails = None
    assert hub.tick() == [("backlog", "raised")]


def test_a_file_that_can_not_be_written_repeats_no_alert(tmp_path: Path) -> None:
    hub = Watched(tmp_path / "gone", backlog={"c": 10}, hold="0s")
    hub.rows["c"]["backlog"] = 11
    for _ in range(2):
        with pytest.raises(OSError, match="No such file"):
            hub.tick()
    os.mkdir(tmp_path / "gone")
    assert (hub.tick(), len(hub.published)) == ([], 1)
    assert "backlog c" in (tmp_path / "gone" / "watch-watch.json").read_text()


def test_a_damaged_file_is_told_by_start(tmp_path: Path) -> None:
    hub = Watched(tmp_path, backlog={"c": 10})
    for text in ("[]", '{"a": "b"}'):
        (tmp_path / "watch-watch.json").write_text(text)
        with pytest.raises(ValueError, match="is not what a watch writes"):
            hub.restart()


def test_a_consumer_that_there_is_not_is_told_once(tmp_path: Path) -> None:
    hub = Watched(tmp_path, backlog={"none": 10}, catch_up={"c": "1m"})
    for _ in range(3):
        assert hub.tick() == []
    assert [line for line in hub.log.lines() if "no consumer" in line] == [
        "backlog: there is no consumer none to watch"
    ]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({}, "there is nothing to watch"),
        ({"silent": {"a b": "1m"}}, "silent: expected topic patterns"),
        ({"silent": {"a": "0s"}}, "expected more than 0"),
        ({"spike": {"a": "often"}}, "expected a rate such as"),
        ({"backlog": {"c": 0}}, "expected 1 or more"),
        ({"backlog": {"c": 1}, "calm": 1.5}, "calm"),
    ],
)
def test_what_can_not_be_is_told(hubbub: Benches, settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        hubbub(Watch, **settings)


def test_it_has_the_topics_of_its_rules_or_none(tmp_path: Path) -> None:
    file = tmp_path / "hub.conf"
    rows = '[consumers.a]\ntype = "watch"\nsilent = {"a.#" = "1m"}\nspike = {"b" = "1/s"}\n'
    file.write_text(f'{rows}[consumers.b]\ntype = "watch"\nbacklog = {{a = 1}}\n')
    found = load(file, (), {}).of("consumers")
    assert (found["a"].settings.topics, found["b"].settings.topics) == (["a.#", "b"], [])
    file.write_text(f"{rows}topics = []\n")
    with pytest.raises(ConfigError, match=r"consumers\.a\.topics: is empty"):
        load(file, (), {})
    file.write_text(f"{rows}backend = 'bus'\n")
    with pytest.raises(ConfigError, match=r"consumers.a.backend: there is no \[backends.bus\]"):
        load(file, (), {})
