"""Watch consumer: publishes an alert when a topic falls silent or spikes, or a consumer falls behind."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from hub import Consumer, Context, Message
from hub.consumers.watch.alarm import Alarm, Turn
from hub.consumers.watch.rule import Rule, Value, rules, value_of
from hub.consumers.watch.settings import Config as _Config
from hub.consumers.watch.traffic import Traffic
from hub.interfaces import Clock
from hub.settings import Settings
from hub.statefiles import write_whole

__all__ = ["Watch"]


class Watch(Consumer):
    """Publish a message when a topic falls silent, its rate spikes, or a consumer's time to catch up or backlog passes
    a limit, and another one when that is over. What is raised outlives the hub, so that a restart repeats no alert."""

    Config: ClassVar[type[Settings]] = _Config
    every = "5s"

    def __init__(self, context: Context, monotonic: Clock = time.monotonic, wall: Clock = time.time) -> None:
        super().__init__(context)
        config: _Config = self.config
        self._monotonic, self._wall = monotonic, wall
        self._traffic = Traffic(config.silent, config.spike, config.window, monotonic())
        self._file = Path(context.state_dir) / f"watch-{quote(context.name, safe='')}.json"
        self._since: dict[str, float] = {}
        self._alarms: dict[Rule, Alarm] = {}
        self._unknown: set[str] = set()
        self._unsaved = False

    @classmethod
    def topics_of(cls, config: Any) -> Sequence[str]:
        """The topics that are watched; none, if only consumers are."""
        return list({**config.silent, **config.spike})

    def start(self) -> None:
        """Read what was raised. :raises OSError: the file can't be read. :raises ValueError: it is damaged."""
        self._since = self._saved()
        for rule in rules(self.config):
            hold = 0.0 if rule.kind == "silent" else self.config.hold
            self._alarms[rule] = Alarm(hold, rule.key in self._since)
        if self._since.keys() - {rule.key for rule in self._alarms}:
            self._since = {rule.key: self._since[rule.key] for rule, alarm in self._alarms.items() if alarm.raised}
            self._save()

    def consume(self, message: Message) -> None:
        """Count it, by the time at which the hub received it. Alerts are not counted."""
        if not message.topic.startswith(self.config.alert_topic + "."):
            age = max(0.0, self._wall() - message.received_at)
            self._traffic.note(message.topic, self._monotonic() - age)

    def tick(self) -> None:
        """Judge each rule, and publish what has changed. An alert that can't be published is tried at the next tick."""
        status, now = self.context.status(), self._monotonic()
        failed: Exception | None = None
        for rule, alarm in self._alarms.items():
            self._tell_unknown(rule, status)
            value = value_of(rule, self.config.calm, self._traffic, now, status, self.context.name)
            turn = alarm.judge(value.passed, value.calm, now)
            if turn is None:
                continue
            try:
                self._publish(rule, turn, value)
            except Exception as error:  # noqa: BLE001 - the other rules' alerts must not wait for this one
                failed = failed or error
            else:
                alarm.turn()
                self._remember(rule, turn)
        if self._unsaved:
            self._save()
        if failed is not None:
            raise failed

    def status(self) -> dict[str, Any]:
        """What is raised now."""
        return {"rules": len(self._alarms), "raised": len(self._since), "first": sorted(self._since)[:10]}

    def _publish(self, rule: Rule, turn: Turn, value: Value) -> None:
        now = self._wall()
        body = {
            "alert": rule.kind,
            "state": turn,
            "subject": rule.subject,
            "value": value.value,
            "limit": rule.limit,
            "since": self._since.get(rule.key, now),
            "time": now,
            "watch": self.context.name,
        }
        self.context.publish(f"{self.config.alert_topic}.{rule.kind}", body, backend=self.config.backend)
        told = (rule.kind, rule.subject, turn, value.value, rule.limit)
        self.log.info("%s of %s is %s: %s, limit %s", *told, extra={"action": "alert"})

    def _remember(self, rule: Rule, turn: Turn) -> None:
        """Note what is raised. A new table each time: ``status`` reads it in another thread."""
        rest = {key: since for key, since in self._since.items() if key != rule.key}
        self._since = {**rest, rule.key: self._wall()} if turn == "raised" else rest
        self._unsaved = True

    def _tell_unknown(self, rule: Rule, status: Any) -> None:
        if rule.kind in ("catch_up", "backlog") and rule.subject not in status["consumers"]:
            if rule.subject not in self._unknown:
                text = "%s: there is no consumer %s to watch"
                self.log.warning(text, rule.kind, rule.subject, extra={"action": "watch"})
            self._unknown.add(rule.subject)
        else:
            self._unknown.discard(rule.subject)

    def _saved(self) -> dict[str, float]:
        if not self._file.exists():
            return {}
        found = json.loads(self._file.read_text(encoding="utf-8"))
        if not isinstance(found, dict) or not all(isinstance(since, (int, float)) for since in found.values()):
            raise ValueError(f"{self._file} is not what a watch writes: delete it, and alerts may come again")
        return found

    def _save(self) -> None:
        write_whole(self._file, json.dumps(self._since).encode())
        self._unsaved = False
