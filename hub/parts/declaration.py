"""Declaration of a durable queue, as it is in the store; and the policy of the queue."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.declarations import NO_LIMITS, QueueLimits
from hub.parts.policies import MOST_BYTES_IN_MEMORY, MOST_IN_MEMORY
from hub.queue.policy import QueuePolicy


class Declaration(msgspec.Struct, frozen=True, omit_defaults=True):
    """A declaration of a durable queue, as it is in the store.

    :ivar backend: name of the backend that declared it last. :ivar kind: as in ``QueueEntry``, as is ``crowd``.
    """

    backend: str
    kind: str | None = None
    crowd: str | None = None
    topics: Sequence[str] = ()
    limits: QueueLimits = NO_LIMITS


def policy_of(limits: QueueLimits, durable: bool) -> QueuePolicy:
    """The policy of the queue."""
    return QueuePolicy(
        max_backlog=limits.max_backlog or (None if durable else MOST_IN_MEMORY),
        max_bytes=limits.max_bytes or (None if durable else MOST_BYTES_IN_MEMORY),
        overflow=limits.overflow,
        max_age=limits.max_age,
        expires=True,
        purge_tried=True,
    )
