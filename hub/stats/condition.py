"""Conditions of a consumer: each has a word, a level and a reason. Pure.

The words are the same in the status, on the page, in ``hubbub top``, ``hubbub check-backlog``, the alerts and the
readiness. A reason contains numbers and names of error classes, never the text of an error, which may contain a
message: not everyone who may see states may see messages.

Declared queues are filled and read by clients of a backend, who need not be the operator's. What such a client does
must not be told of the whole hub. So there are three rules, and all of them are here:

- ``of_one_client``: no condition of a queue that belongs to one client, such as a subscription, is worse than a
  warning. Its bounds are there to be met: a slow client loses the oldest messages, as it was told.
- ``answered_for``: no condition of any declared queue makes the hub not ready. It takes messages as it should.
- ``in_headline``: the headline is about no queue that belongs to one client. It is about the queues that clients share:
  their backlogs are work.

The rows of the queues, and of their sums, show the conditions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

import msgspec

from hub.stats.outcomes import Outcomes, Recent
from hub.status.consumers import ConditionRow
from hub.status.rows import sums_queues
from hub.status.states import ORDERED, ORDERS, ConditionWord, Level
from hub.text import counted

FEW = 3
"""Number of attempts since a message was last finished, below which a bad one is no condition."""
OFTEN = 5
"""Number of bad attempts in a minute, among good ones, that is a condition."""
SHARE = 0.5
"""Share of recent attempts that is a condition if they are bad, among good ones."""
REMEMBERED = 60.0
"""Seconds for which bad attempts are shown if nothing waits for a retry."""
SMALL = 10
"""Backlog below which growth is no condition: it comes and goes with each message."""

OFF_STATES = ("stopped", "orphan")
PLAIN: Mapping[str, Level] = {"running": "ok", "starting": "info"}
"""States that are conditions themselves if there is no other; all other states are ``bad``."""
CONDITIONS: tuple[ConditionWord, ...] = get_args(ConditionWord)
"""All words, the worst first."""


@dataclass(frozen=True)
class Condition:
    """A condition."""

    word: str
    level: Level
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.word}: {self.reason}" if self.reason else self.word


class Facts(msgspec.Struct, frozen=True):
    """The facts that a consumer's conditions follow from.

    :ivar state: state of the consumer, as in the status. :ivar orders: an operator's orders in force.
    :ivar error: class of the error of its last bad attempt, or of ``start``; empty: none.
    :ivar unread: whether it is a declared queue that nobody reads.
    :ivar of_one_client: whether it is a declared queue that belongs to one client, or the sums of such.
    :ivar stuck: seconds for which a thread has been busy with one message, beyond the timeout.
    :ivar tick_failures: failed calls of ``tick`` since one succeeded; ``tick_error``: class of the last error.
    :ivar holds_up: why a bus sends no more: this queue's messages that are put off keep their places; empty: it sends.
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
    unread: bool = False
    of_one_client: bool = False
    stuck: float | None = None
    tick_failures: int = 0
    tick_error: str = ""
    holds_up: str = ""
    trend: str | None = None


def conditions(facts: Facts) -> list[Condition]:
    """All conditions that hold, the worst first; at least one."""
    found = [*_of_state(facts), *_of_outcomes(facts), *_of_ticks(facts), *_of_trend(facts)]
    if not found:
        found = [Condition(facts.state, PLAIN.get(facts.state, "bad"))]
    if facts.of_one_client:
        found = [replace(one, level="warn") if one.level == "bad" else one for one in found]
    return sorted(found, key=lambda one: CONDITIONS.index(one.word) if one.word in CONDITIONS else 0)


def rows(found: Sequence[Condition]) -> list[ConditionRow]:
    """Conditions as rows of the status."""
    # A later version of the hub may have other words.
    return [{"word": cast("ConditionWord", one.word), "level": one.level, "reason": one.reason} for one in found]


def of_state(state: str, orders: Sequence[str]) -> list[ConditionRow]:
    """Conditions as rows, where only the state and an operator's orders are known."""
    return rows(conditions(Facts(state, Recent(), 0.0, orders=orders)))


def answered_for(row: Mapping[str, Any]) -> bool:
    """Tell whether bad conditions of a queue make the hub not ready; see the module."""
    return not row.get("declared")


def in_headline(row: Mapping[str, Any]) -> bool:
    """Tell whether the headline is about a queue; see the module. A row of sums is about queues of clients."""
    return row.get("summed_in") is None and not sums_queues(row)


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
    if facts.holds_up:
        yield Condition("holding up", "warn", facts.holds_up)
    if facts.unread:
        yield Condition("not read", "info", "nobody reads the queue now; its messages wait")
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
        yield Condition(word, level, f"{count} of {counted(total, 'attempt')} {since} {PHRASES[word]}{last}")


PHRASES = {"failing": "failed", "retrying": "asked to be tried again", "rejecting": "were rejected"}


def _bad(facts: Facts) -> Iterator[tuple[str, int, Outcomes, str]]:
    """The word for the bad attempts, their number, the outcomes they are part of, and the period; empty: none."""
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
    if facts.state == "running" and not facts.unread and facts.trend == "falling_behind" and facts.backlog >= SMALL:
        yield Condition("falling behind", "warn", "messages come faster than they are handled")
