"""The conditions of a consumer, read from its row of the status.

Commands read rows, and must start quickly. So :mod:`hub.stats.condition`, and the counters that it needs, are imported
only for the row of a hub that sends no conditions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hub.status.states import ORDERED

if TYPE_CHECKING:
    from hub.status.consumers import ConditionRow


def told(row: Mapping[str, Any]) -> Sequence[ConditionRow]:
    """The conditions in a consumer's row of the status. Earlier versions of the hub have only the state."""
    if found := row.get("conditions"):
        return list(found)
    from hub.stats.condition import of_state

    return of_state(str(row["state"]), [order for order in ORDERED if row.get(order)])


def words(row: Mapping[str, Any]) -> str:
    """The words of all conditions, such as ``failing, paused``."""
    return ", ".join(one["word"] for one in told(row))


def held(row: Mapping[str, Any]) -> bool:
    """Tell whether an operator has paused or drained the consumer, so that it can be resumed."""
    return any(row.get(order) or row["state"] in states for order, states in ORDERED.items())


def level(row: Mapping[str, Any]) -> str:
    """The level of the worst condition."""
    return told(row)[0]["level"]
