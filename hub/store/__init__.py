"""The store keeps messages and dead letters. This package exports its protocols and their values; the engines are in
the other modules.

A queue gives each of its messages a *position*, dense and rising. ``append`` gives an arriving message to the store.
All later changes are in the queue's *journal*, which the store fetches when it commits: a worker that settles a message
need not call the store, and one commit has the work of many.
"""

from __future__ import annotations

from hub.store.interface import (
    DeadLetters,
    HistoryStore,
    InFlightStore,
    Log,
    LogReader,
    Lookup,
    OutboxStore,
    QueueStore,
    Slot,
    Store,
    StoreCondition,
)
from hub.store.values import (
    OVERHEAD,
    PER_PAGE,
    Beginning,
    CommittedState,
    Found,
    Journal,
    Kept,
    LogPortion,
    OutboxPortion,
    Outgoing,
    Range,
    RoutedBatch,
    Run,
    Share,
    Tie,
    Try,
    Wanted,
)

__all__ = [
    "Beginning",
    "StoreCondition",
    "DeadLetters",
    "Found",
    "Slot",
    "HistoryStore",
    "InFlightStore",
    "Journal",
    "Kept",
    "Log",
    "LogPortion",
    "LogReader",
    "Lookup",
    "OVERHEAD",
    "OutboxStore",
    "OutboxPortion",
    "PER_PAGE",
    "Outgoing",
    "CommittedState",
    "QueueStore",
    "Range",
    "RoutedBatch",
    "Run",
    "Share",
    "Store",
    "Tie",
    "Try",
    "Wanted",
]
