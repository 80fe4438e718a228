"""What a consumer is, for people: its state, and what was ordered where the state has something worse to say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SAID = {"paused": {"paused"}, "draining": {"draining", "drained"}}
"""By each order, the states that say it."""


def condition(row: Mapping[str, Any]) -> str:
    """Such as ``drained``, or ``stuck, draining``. :param row: of the status."""
    state = str(row["state"])
    return ", ".join([state, *(order for order, states in SAID.items() if row.get(order) and state not in states)])


def held(row: Mapping[str, Any]) -> bool:
    """Whether an operator has it paused or drained: it can be resumed."""
    return any(row.get(order) or row["state"] in states for order, states in SAID.items())
