"""Canary retry: tries some dead letters first, and the rest only if all of these succeed."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.task import deferLater

from hub.control.cooperative import in_steps
from hub.control.dead_letters import PIECE, Requeued, retry_letters
from hub.control.hub import Hub, when_stored
from hub.text import counted
from hub.units import format_duration

POLL_EVERY = 0.1
"""Seconds between two checks of the letters being tried."""


class Retried(msgspec.Struct, omit_defaults=True):
    """Dead letters that were put back into their queue.

    Their positions are from ``start`` up to, not including, ``stop``; new messages may lie between. ``count``: number
    of letters. ``not_taken``: number that a full queue did not take; they stay dead letters. ``problem``: why not all
    were taken, or why the rest was left after a canary. ``stored``: false while it is not on disk.
    """

    start: int
    stop: int
    count: int
    not_taken: int = 0
    problem: str = ""
    stored: bool = True


class _Letters(NamedTuple):
    """Dead letters before the retry: the highest number, and the message ids of some."""

    highest: int
    ids: frozenset[str]


def retry(hub: Hub, name: str, numbers: Sequence[int]) -> Deferred[Retried]:
    """Retry dead letters. Fires when that is on disk."""
    wanted = len(set(numbers))

    def done(requeued: Requeued) -> Deferred[Retried]:
        first, stop, count, full = requeued
        return when_stored(hub, Retried(first, stop, count, full, _shortfall(name, wanted, count, full)))

    return in_steps(hub, retry_letters(hub, name, numbers)).addCallback(done)


def _shortfall(name: str, wanted: int, count: int, full: int) -> str:
    """The reason why fewer were taken; empty: all were."""
    gone = wanted - count - full
    why = [f"it is full, so {full} stayed"] if full else []
    why += [f"{gone} had gone before"] if gone else []
    return f"the queue of {name} took {count} of {counted(wanted, 'dead letter')}: {'; '.join(why)}" if why else ""


@inlineCallbacks
def retry_with_canary(
    hub: Hub, name: str, numbers: Sequence[int], canary: int, timeout: float, is_gone: Callable[[], bool]
) -> Generator[Deferred[Any], Any, Retried]:
    """Retry the ``canary`` oldest dead letters, wait until they are settled, and retry the rest if none of them is a
    dead letter again.

    :param timeout: seconds to wait. :param is_gone: true once the client hung up; then the rest is left.
    """
    ordered = sorted(set(numbers))
    first, rest = ordered[:canary], ordered[canary:]
    before: _Letters = yield in_steps(hub, _survey(hub, name, first))
    given: Retried = yield retry(hub, name, first)
    if given.problem:
        return given
    given.problem = yield _outcome(hub, name, given, before, hub.reactor.seconds() + timeout, timeout, is_gone)
    if given.problem or not rest:
        return given
    more: Retried = yield retry(hub, name, rest)
    stored = given.stored and more.stored
    return Retried(given.start, more.stop, given.count + more.count, more.not_taken, more.problem, stored)


@inlineCallbacks
def _outcome(
    hub: Hub, name: str, given: Retried, before: _Letters, deadline: float, timeout: float, is_gone: Callable[[], bool]
) -> Generator[Deferred[Any], Any, str]:
    """The reason to leave the rest; empty: the canaries succeeded."""
    while True:
        inspect = hub.queues.entry(name).opened.inspect
        if not inspect.unsettled(given.start, given.stop):
            # A dead letter is listed once it is committed: a slow disk must not look like a success.
            barrier: Retried = yield when_stored(hub, Retried(0, 0, 0))
            if barrier.stored:
                again: list[str] = yield in_steps(hub, _reasons(hub, name, before))
                if again:
                    return f"{len(again)} failed again, the first with: {again[0]}: the rest was left"
                return ""
        if is_gone():
            return "the client hung up: the rest was left"
        if hub.reactor.seconds() >= deadline:
            return f"the canaries were not settled after {format_duration(timeout)}: the rest was left"
        yield deferLater(hub.reactor, POLL_EVERY)


def _survey(hub: Hub, name: str, numbers: Sequence[int]) -> Iterator[_Letters]:
    """Find, in steps, the highest number of all letters, and the message ids of those with these numbers."""
    stored, after, wanted = hub.queues.stored(name), 0, set(numbers)
    ids: set[str] = set()
    while letters := stored.dead_letters(after, PIECE):
        ids |= {letter.message.id for letter in letters if letter.number in wanted}
        after = letters[-1].number
        yield _Letters(after, frozenset(ids))
    yield _Letters(after, frozenset(ids))


def _reasons(hub: Hub, name: str, before: _Letters) -> Iterator[list[str]]:
    """Find, in steps, the reasons of dead letters made since, for the messages with these ids."""
    stored, after, reasons = hub.queues.stored(name), before.highest, list[str]()
    while letters := stored.dead_letters(after, PIECE):
        reasons += [letter.reason for letter in letters if letter.message.id in before.ids]
        after = letters[-1].number
        yield reasons
    yield reasons
