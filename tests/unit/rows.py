"""Rows of the status for tests, with the conditions that the hub would give."""

from __future__ import annotations

from typing import Any

from hub.stats.condition import Facts, conditions, rows
from hub.stats.outcomes import Recent
from hub.status.consumers import ConditionRow


def conditions_of(row: dict[str, Any]) -> list[ConditionRow]:
    """Those that follow from its state, its orders and its trend alone."""
    orders = [order for order in ("paused", "draining") if row.get(order)]
    facts = Facts(row["state"], Recent(), 0.0, backlog=row["backlog"], orders=orders, trend=row.get("trend"))
    return rows(conditions(facts))
