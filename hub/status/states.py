"""Words of the status that programs may compare with: states, conditions, trends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

NOBODY = "nobody"
"""``drained_by`` of a queue that nobody drains, or reads now."""
HubState = Literal["starting", "running", "reloading", "stopping", "stopped"]
ConsumerState = Literal[
    "running", "starting", "failing to start", "stuck", "full", "paused", "draining", "drained", "stopped", "orphan"
]
BackendState = Literal["connecting", "connected", "listening", "paused", "stopping", "stopped", "failed"]
"""States of a backend. ``connecting``: to its bus, or to a part of it; ``listening``: peers connect to it, none
has; ``paused``: held back by the hub; ``failed``: its ``status()`` raised."""
CONNECTED: frozenset[BackendState] = frozenset({"connected", "listening", "paused"})
"""States of a backend whose connection to the bus stands."""
ThreadState = Literal["idle", "busy", "leaving", "stuck", "dead"]
OutboxState = Literal["sending", "retrying", "held"]
StoreState = Literal["ok", "full", "behind", "failed"]
ConditionWord = Literal[
    "failing to start",
    "stuck",
    "losing",
    "failing",
    "retrying",
    "rejecting",
    "full",
    "holding up",
    "ticking badly",
    "falling behind",
    "paused",
    "draining",
    "drained",
    "not read",
    "starting",
    "stopped",
    "orphan",
    "running",
]
"""Conditions, the worst first."""
Level = Literal["ok", "info", "warn", "bad", "off"]
"""Levels: nothing to do; ordered by an operator; look at it; act now; it does not run."""
ORDERS = ("paused", "draining", "drained")
ORDERED: Mapping[str, tuple[str, ...]] = {"paused": ("paused",), "draining": ("draining", "drained")}
"""States that result from each order of an operator."""
Trend = Literal["idle", "catching_up", "falling_behind", "steady", "unknown"]
CaughtUpKind = Literal["clear", "gain", "steady", "unknown", "behind", "paused", "never"]
HeadlineKind = Literal["clear", "gain", "steady", "unknown", "behind", "paused"]
NodeState = Literal["present", "left", "vanished", "unheard"]
"""States of a node of a cluster. ``left``: it has stopped in order; ``vanished``: it is silent, and did not say why;
``unheard``: it was there when this hub could hear last."""
ClusterState = Literal["listening", "deaf"]
"""States of a cluster's view. ``deaf``: the bus gives this hub no announcements now, so that no node is judged."""
RefusalReason = Literal["too_large", "malformed", "unsigned", "forged", "time", "replayed", "too_many", "elsewhere"]
"""Why an announcement of a node was refused."""
