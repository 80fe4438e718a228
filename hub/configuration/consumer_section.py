"""The section ``[consumers.*]``: rules for a consumer's class, and settings that contradict each other."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hub.configuration.plugin_check import CLASS_DEFAULTS, consumer_flaws, overrides
from hub.configuration.schema import ConsumerSettings, Part
from hub.configuration.section import Section, absence
from hub.consumer import Consumer
from hub.text import counted
from hub.topics import with_any_rest


class ConsumerSection(Section):
    """The section of consumers. They have a base class instead of a protocol, and their classes may set defaults."""

    def class_defaults(self, cls: type[Any], config: Any) -> dict[str, Any]:
        """Class attributes that are settings, and topics that follow from the consumer's own settings."""
        found = {name: getattr(cls, name) for name in CLASS_DEFAULTS}
        topics = found["topics"] = found["topics"] if config is None else cls.topics_of(config)
        if isinstance(topics, str):
            found["topics"] = [topics]
        elif isinstance(topics, (tuple, set, frozenset)):
            found["topics"] = list(topics)
        if topics is Consumer.topics and (not _receives(cls) or found["queue"] is not None):
            found["topics"] = []  # a consumer with only tick() receives no messages, one of jobs has a queue
        return found

    def is_set_by(self, cls: type[Any], name: str) -> bool:
        """True if the class defines an attribute for that setting."""
        if name == "topics" and overrides(cls, "topics_of"):
            return True
        return name in CLASS_DEFAULTS and getattr(cls, name) is not getattr(Consumer, name)

    def flaws(self, cls: Any) -> Iterator[str]:
        """Faults of the class; for a class that is no consumer, only that one."""
        if isinstance(cls, type) and not issubclass(cls, Consumer):
            yield "is not a subclass of hub.Consumer"
        else:
            yield from super().flaws(cls)

    def plugin_flaws(self, cls: type[Any]) -> Iterator[str]:
        """Methods that could not be called, and attributes that are never read."""
        return consumer_flaws(cls)

    def conflicts(self, settings: Any, cls: type[Any], given: Collection[str]) -> Iterator[tuple[str, str]]:
        """Conflicts between ordering, limits, topics, ticks and batches."""
        yield from _order(settings)
        yield from _amounts(settings, given)
        if settings.queue is not None:
            yield from _of_jobs(settings, cls, given)
        elif _receives(cls) and not settings.topics and ("topics" in given or not _may_have_none(cls)):
            yield "topics", "is empty: it would receive nothing (to switch it off: enabled = false)"
        if not _receives(cls) and settings.topics and settings.queue is None:
            yield "topics", f"{cls.__name__} has no consume(), only tick(): it can't be given messages"
        if not _receives(cls) and settings.every is None and settings.queue is None:
            yield "every", f"must be set (duration): {cls.__name__} has only tick(), which would never be called"
        if "every" in given and not overrides(cls, "tick"):
            yield "every", f"{cls.__name__} has no tick() to call"
        for name in ("batch_size", "batch_wait"):
            if name in given and not overrides(cls, "consume_batch"):
                yield name, f"{cls.__name__} has no consume_batch(): it is given one message at a time"

    def details(self, part: Part) -> str:
        """The part's threads and topics, as text."""
        threads, topics = part.settings.threads, " ".join(part.settings.topics) or "none"
        if (queue := part.settings.queue) is not None:
            return f", {counted(threads, 'thread')}, jobs of the queue {queue}"
        return f", {counted(threads, 'thread')}, topics {topics}"

    def notes(self, part: Part) -> Iterator[str]:
        """Notes on topic patterns that look like moksha's."""
        for pattern in part.settings.topics if part.settings.queue is None else ():
            if (whole := with_any_rest(pattern)) is not None:
                yield f"{pattern!r}: the * is exactly one word; for any rest, as moksha's * has it, write {whole!r}"

    def summary(self, part: Part) -> Mapping[str, Any]:
        """The part's threads, topics and notes, as JSON-able values."""
        settings = part.settings
        works: dict[str, Any] = {"topics": settings.topics}
        if settings.queue is not None:
            works = {"topics": [], "queue": settings.queue, "jobs": settings.jobs}
        return {"threads": settings.threads, **works, "notes": list(self.notes(part))}


def unknown_to_consumers(
    consumers: Mapping[str, Part], backends: Mapping[str, Part], tables: Mapping[str, object]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Consumers whose own settings name a backend that there is not: the place of the setting, and what is wrong. Those
    that name backends say where by ``uses_of_backends`` of their settings.

    :param backends: those that are enabled and valid. :param tables: all tables, of which some may have problems.
    """
    for name, part in consumers.items():
        for place, backend in getattr(part.config, "uses_of_backends", tuple)():
            if flaw := absence("backends", backend, backends, tables):
                yield ("consumers", name, *place), flaw


def _may_have_none(cls: type[Any]) -> bool:
    """True if a class derives its topics from its settings, which may want none, and has other work to do."""
    return overrides(cls, "topics_of") and overrides(cls, "tick")


def _receives(cls: type[Any]) -> bool:
    return overrides(cls, "consume") or overrides(cls, "consume_batch")


OF_MESSAGES = (
    *("topics", "begin", "renamed_from", "durable", "max_backlog", "max_backlog_bytes", "max_age", "overflow"),
    *("ordering", "order_by", "max_kills", "max_dead", "max_dead_bytes", "max_dead_age"),
)
"""Settings of a queue in the hub; a consumer of jobs has none."""


def _of_jobs(settings: ConsumerSettings, cls: type[Any], given: Collection[str]) -> Iterator[tuple[str, str]]:
    if not _receives(cls):
        yield "queue", f"{cls.__name__} has no consume(), only tick(): it can't be given jobs"
    for name in OF_MESSAGES:
        if name in given:
            yield name, f"is about a queue in the hub; the jobs of {settings.queue!r} are in a database: leave it out"


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
