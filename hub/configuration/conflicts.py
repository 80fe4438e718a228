"""Settings of a consumer that are good one by one, and contradict each other or their class."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from typing import Any

from hub.configuration.flaws import overrides
from hub.configuration.schema import ConsumerSettings


def conflicts(settings: ConsumerSettings, cls: type[Any], given: Collection[str]) -> Iterator[tuple[str, str]]:
    """The setting to change, and why.

    :param settings: with the class's own defaults filled in.
    :param given: the settings that the operator wrote.
    """
    yield from _order(settings)
    yield from _amounts(settings, given)
    receives = overrides(cls, "consume") or overrides(cls, "consume_batch")
    if receives and not settings.topics:
        yield "topics", "is empty: it would receive nothing (to switch it off: enabled = false)"
    if not receives and settings.topics:
        yield "topics", f"{cls.__name__} has no consume(), only tick(): it can't be given messages"
    if not receives and settings.every is None:
        yield "every", f"must be set (duration): {cls.__name__} has only tick(), which would never be called"
    if "every" in given and not overrides(cls, "tick"):
        yield "every", f"{cls.__name__} has no tick() to call"
    for name in ("batch_size", "batch_wait"):
        if name in given and not overrides(cls, "consume_batch"):
            yield name, f"{cls.__name__} has no consume_batch(): it is given one message at a time"


def _order(settings: ConsumerSettings) -> Iterator[tuple[str, str]]:
    if settings.ordering != "strict":
        return
    if settings.order_by is not None:
        yield "order_by", "ordering = 'strict' keeps the order of all messages: leave one of the two out"
    if (settings.threads or 1) > 1:
        yield "threads", "ordering = 'strict' takes one message at a time: set threads = 1, or order_by instead"


def _amounts(settings: ConsumerSettings, given: Collection[str]) -> Iterator[tuple[str, str]]:
    if settings.backoff > settings.backoff_limit:
        yield "backoff", "is longer than backoff_limit"
    if "batch_size" in given and (settings.batch_size or 0) > (settings.max_backlog or sys.maxsize):
        yield "batch_size", "is larger than max_backlog: such a batch would never be full"
