"""The rules of the watch: a value, its limit, and whether the limit is passed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from hub.consumers.sending.rate import parse_rate
from hub.consumers.watch.settings import Config
from hub.consumers.watch.traffic import Traffic

Kind = Literal["silent", "spike", "catch_up", "backlog"]
ENDLESS = "falling_behind"
"""The trend of a consumer that never catches up at its present rates."""


@dataclass(frozen=True)
class Rule:
    """What is watched. :ivar subject: a topic pattern, or a consumer. :ivar limit: seconds, messages a second, or
    messages."""

    kind: Kind
    subject: str
    limit: float

    @property
    def key(self) -> str:
        """Its name in the file of what is raised."""
        return f"{self.kind} {self.subject}"


@dataclass(frozen=True)
class Value:
    """A value now. :ivar value: ``None``: there is none that can be told. :ivar passed: whether it is beyond the limit.
    :ivar calm: whether it is well below. ``None``: nobody knows."""

    value: float | None
    passed: bool | None
    calm: bool | None


UNKNOWN = Value(None, None, None)


def rules(config: Config) -> Iterator[Rule]:
    """Yield the rules of the settings."""
    yield from (Rule("silent", pattern, limit) for pattern, limit in config.silent.items())
    yield from (Rule("spike", pattern, parse_rate(rate)) for pattern, rate in config.spike.items())
    yield from (Rule("catch_up", name, limit) for name, limit in config.catch_up.items())
    yield from (Rule("backlog", name, float(limit)) for name, limit in config.backlog.items())


def value_of(rule: Rule, calm: float, traffic: Traffic, now: float, status: Mapping[str, Any], own: str) -> Value:
    """Return the value of a rule.

    :param calm: part of the limit at which a value is calm. :param status: the hub's. :param own: name of the watch
        among its consumers: what still waits for the watch itself is no silence.
    """
    rows = status["consumers"]
    if rule.kind == "silent":
        seen_until = now - (rows.get(own, {}).get("oldest_age") or 0.0)
        silence = traffic.silence(rule.subject, max(0.0, seen_until))
        # Silence is short after each start: that alone does not end one that was raised before.
        return Value(silence, silence >= rule.limit, traffic.is_heard(rule.subject) and silence < rule.limit)
    if rule.kind == "spike":
        value: float | None = traffic.rate(rule.subject, now)
    else:
        row = rows.get(rule.subject)
        if row is None:
            return UNKNOWN
        value = row["backlog"] if rule.kind == "backlog" else row["catch_up_seconds"]
        if rule.kind == "catch_up" and row["trend"] == ENDLESS:
            return Value(None, passed=True, calm=False)
    return UNKNOWN if value is None else Value(value, value > rule.limit, value <= calm * rule.limit)
