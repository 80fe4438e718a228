"""Conditions of a consumer: what an operator must know of it, each as a word, a level and a reason. Pure.

The words are the same in the status, on the page, in ``hubbub top``, ``hubbub check-backlog``, the alerts and the
readiness. A reason holds numbers and the names of error classes, never the text of an error: that may hold a whole
message, and not everybody who may see a state may see messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hub.stats.outcomes import Outcomes, Recent
from hub.text import counted

Level = Literal["ok", "info", "warn", "bad", "off"]
"""Nothing to do; an operator ordered it; look at it; act now; it does not run."""

FEW = 3
"""Attempts since a message was last finished, below which a bad one is no condition: it is tried again."""
OFTEN = 5
"""Attempts of a minute that must be bad, beside good ones, to be a condition."""
SHARE = 0.5
"""Of the attempts lately; from it on, bad ones are a condition beside good ones."""
REMEMBERED = 60.0
"""Seconds for which bad attempts are told where nothing waits to be tried again."""
SMALL = 10
"""Messages below which a backlog that grows is no condition yet: it comes and goes with each message."""

ORDERS = ("paused", "draining", "drained")
ORDERED: Mapping[str, tuple[str, ...]] = {"paused": ("paused",), "draining": ("draining", "drained")}
"""By each order of an operator, the states that tell of it."""
OFF_STATES = ("stopped", "orphan")
PLAIN: Mapping[str, Level] = {"running": "ok", "starting": "info"}
"""States that are their own condition where nothing else is to be told. Of another one we know nothing better."""
CONDITIONS = (
    *("failing to start", "stuck", "losing", "failing", "retrying", "rejecting", "full"),
    *("ticking badly", "falling behind", "paused", "draining", "drained", "starting", "stopped", "orphan", "running"),
)
"""All words, the worst first."""


@dataclass(frozen=True)
class Condition:
    """One of them."""

    word: str
    level: Level
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.word}: {self.reason}" if self.reason else self.word


@dataclass(frozen=True)
class Facts:
    """What the conditions of a consumer are drawn from.

    :ivar state: of its threads, as the status has it. :ivar orders: of an operator, those that are in force.
    :ivar error: the class of the error that its last bad attempt, or its ``start``, ended with; empty: none.
    :ivar stuck: seconds for which a thread has been busy with one message, beyond its timeout.
    :ivar tick_failures: calls of ``tick`` that failed since one succeeded; ``tick_error``: the class of the last error.
    :ivar trend: see :mod:`hub.stats.catchup`.
    """

    state: str
    recent: Recent
    now: float
    backlog: int = 0
    delayed: int = 0
    orders: Sequence[str] = ()
    error: str = ""
    start_error: str = ""
    stuck: float | None = None
    tick_failures: int = 0
    tick_error: str = ""
    trend: str | None = None


def conditions(facts: Facts) -> list[Condition]:
    """All that hold, the worst first; at least one."""
    found = [*_of_state(facts), *_of_outcomes(facts), *_of_ticks(facts), *_of_trend(facts)]
    if not found:
        found = [Condition(facts.state, PLAIN.get(facts.state, "bad"))]
    return sorted(found, key=lambda one: CONDITIONS.index(one.word) if one.word in CONDITIONS else 0)


def rows(found: Sequence[Condition]) -> list[dict[str, str]]:
    """As they stand in the status."""
    return [{"word": one.word, "level": one.level, "reason": one.reason} for one in found]


def told(row: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    """Those of a consumer in the status. A hub that still runs an earlier version tells only the state."""
    if found := row.get("conditions"):
        return list(found)
    orders = [order for order in ORDERED if row.get(order)]
    return rows(conditions(Facts(str(row["state"]), Recent(), 0.0, orders=orders)))


def words(row: Mapping[str, Any]) -> str:
    """Such as ``failing, paused``."""
    return ", ".join(one["word"] for one in told(row))


def held(row: Mapping[str, Any]) -> bool:
    """Whether an operator has the consumer paused or drained: it can be resumed."""
    return any(row.get(order) or row["state"] in states for order, states in ORDERED.items())


def level(row: Mapping[str, Any]) -> str:
    """The level of the worst of them."""
    return told(row)[0]["level"]


def _of_state(facts: Facts) -> Iterator[Condition]:
    if facts.state == "failing to start":
        yield Condition(facts.state, "bad", f"start() failed with {facts.start_error}" if facts.start_error else "")
    elif facts.state == "stuck":
        seconds = "" if facts.stuck is None else f"a thread has been busy with one message for {facts.stuck:.0f} s"
        yield Condition(facts.state, "bad", seconds)
    elif facts.state == "full":
        yield Condition(facts.state, "bad", "its queue has no room")
    elif facts.state in OFF_STATES:
        yield Condition(facts.state, "off")
    elif facts.state in ORDERS:
        yield Condition(facts.state, "info")
    for order in facts.orders:
        if facts.state not in ORDERED[order]:
            yield Condition(order, "info")


def _of_outcomes(facts: Facts) -> Iterator[Condition]:
    lost = facts.recent.minute().lost
    if lost > 0:
        yield Condition("losing", "bad", f"{counted(lost, 'message')} lost in the last minute")
    if facts.state in OFF_STATES:
        return
    for word, count, outcomes, since in _bad(facts):
        last, total = f", the last with {facts.error}" if facts.error else "", outcomes.attempts
        level: Level = "warn" if outcomes.finished else "bad"
        yield Condition(word, level, f"{count} of {counted(total, 'attempt')} {since} {VERBS[word]}{last}")


VERBS = {"failing": "failed", "retrying": "asked to be tried again", "rejecting": "were rejected"}


def _bad(facts: Facts) -> Iterator[tuple[str, int, Outcomes, str]]:
    """The word for what attempts do mostly, how many do, of which, and since when; nothing: they do well."""
    since, lately = facts.recent.since_finished(), facts.recent.lately()
    last = facts.recent.last_bad
    told = facts.delayed > 0 or (last is not None and facts.now - last <= REMEMBERED)
    if told and since.bad >= FEW and not lately.finished:
        yield (*_mostly(since), since, "since a message was last finished")
    elif lately.bad >= OFTEN and lately.bad >= SHARE * lately.attempts:
        yield (*_mostly(lately), lately, "lately")


def _mostly(outcomes: Outcomes) -> tuple[str, int]:
    ways = {"failing": outcomes.failed, "retrying": outcomes.asked, "rejecting": outcomes.rejected}
    word = max(ways, key=lambda way: ways[way])
    return word, ways[word]


def _of_ticks(facts: Facts) -> Iterator[Condition]:
    if facts.tick_failures:
        calls = "the last call" if facts.tick_failures == 1 else f"the last {facts.tick_failures} calls"
        yield Condition("ticking badly", "warn", f"{calls} of tick() failed with {facts.tick_error}")


def _of_trend(facts: Facts) -> Iterator[Condition]:
    if facts.state == "running" and facts.trend == "falling_behind" and facts.backlog >= SMALL:
        yield Condition("falling behind", "warn", "messages come faster than they are handled")
