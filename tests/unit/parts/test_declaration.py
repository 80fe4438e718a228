"""The declaration of a durable queue in the store, and the policy that its limits make."""

from __future__ import annotations

import msgspec
import pytest

from hub.declarations import NO_LIMITS, QueueLimits
from hub.parts.declaration import Declaration, policy_of
from hub.parts.policies import MOST_BYTES_IN_MEMORY, MOST_IN_MEMORY


def test_it_is_kept_whole_in_the_store() -> None:
    limits = QueueLimits(max_backlog=7, max_bytes=8, overflow="block", max_age=9.5)
    declared = Declaration("bus", "stomp", "subscribers", ("a.#",), limits)
    stored = msgspec.json.encode(declared)
    again = msgspec.json.decode(stored, type=Declaration)
    assert (again.backend, again.kind, again.crowd, list(again.topics)) == ("bus", "stomp", "subscribers", ["a.#"])
    assert again.limits == limits


def test_one_of_an_older_hub_has_the_defaults() -> None:
    """What a declaration did not say then is left out in the store."""
    assert msgspec.json.decode(b'{"backend": "bus"}', type=Declaration) == Declaration("bus")
    assert msgspec.json.encode(Declaration("bus")) == b'{"backend":"bus"}'


@pytest.mark.parametrize(
    ("durable", "backlog", "size"),
    [
        pytest.param(True, None, None, id="durable"),
        pytest.param(False, MOST_IN_MEMORY, MOST_BYTES_IN_MEMORY, id="memory"),
    ],
)
def test_a_queue_in_memory_is_bounded_unless_its_limits_say_otherwise(
    durable: bool, backlog: int | None, size: int | None
) -> None:
    policy = policy_of(NO_LIMITS, durable)
    assert (policy.max_backlog, policy.max_bytes) == (backlog, size)
    policy = policy_of(QueueLimits(max_backlog=3, max_bytes=4), durable)
    assert (policy.max_backlog, policy.max_bytes) == (3, 4)


def test_the_other_limits_are_taken_as_they_are() -> None:
    policy = policy_of(QueueLimits(overflow="drop_oldest", max_age=5.0), durable=True)
    assert (policy.overflow, policy.max_age) == ("drop_oldest", 5.0)
    assert policy.expires
    assert policy.purge_tried
