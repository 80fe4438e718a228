"""Converts a consumer's settings to the policies of its queue and its crew."""

from __future__ import annotations

from typing import Any

from hub.configuration.schema import ConsumerSettings, Part
from hub.consumer import Consumer
from hub.queue.ordering import key_of
from hub.queue.policy import OverflowMode, QueuePolicy
from hub.workers.crew import CrewPolicy
from hub.workers.retry import Backoff, JobBackoff, RetryPolicy
from hub.workers.worker import WorkerPolicy

MOST_IN_MEMORY = 100_000
MOST_BYTES_IN_MEMORY = 128 << 20
"""Default limits of a queue in memory."""


def queue_policy(settings: ConsumerSettings, holds_back: bool) -> QueuePolicy:
    """The policy of the queue."""
    in_memory = not settings.durable
    return QueuePolicy(
        max_backlog=settings.max_backlog or (MOST_IN_MEMORY if in_memory else None),
        max_bytes=settings.max_backlog_bytes or (MOST_BYTES_IN_MEMORY if in_memory else None),
        overflow=overflow_of(settings, holds_back),
        key_of=key_of(settings.ordering, settings.order_by),
        max_age=settings.max_age,
        max_kills=settings.max_kills,
    )


def overflow_of(settings: ConsumerSettings, holds_back: bool) -> OverflowMode:
    """The overflow mode of the queue.

    Blocking a bus that does not keep unread messages would lose them uncounted, and hold up other consumers; so
    ``auto`` then drops and counts the newest, and keeps accepted messages.
    """
    if settings.overflow != "auto":
        return settings.overflow
    return "block" if holds_back else "drop_newest"


def retry_policy(settings: ConsumerSettings) -> RetryPolicy:
    """The policy of retries. A job brings its own number of attempts; the consumer's own is a limit if it is set."""
    backoff = Backoff(settings.max_attempts, settings.backoff, settings.backoff_limit)
    if settings.queue is None:
        return backoff
    return JobBackoff(backoff, settings.max_attempts if "max_attempts" in settings.model_fields_set else None)


def crew_policy(part: Part) -> CrewPolicy:
    """The policy of the threads; a class that overrides ``consume_batch`` receives batches."""
    settings: Any = part.settings
    batches = part.plugin.cls.consume_batch is not Consumer.consume_batch
    return CrewPolicy(
        threads=settings.threads,
        timeout=settings.timeout,
        every=settings.every,
        worker=WorkerPolicy(
            retry=retry_policy(settings),
            batch_size=settings.batch_size if batches else None,
            batch_wait=settings.batch_wait if batches else 0.0,
        ),
    )
