"""A hub's own queues and the reasons why it is not ready, taken from its status for an announcement. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from hub.cluster.announcement import LONGEST_NAME, LONGEST_REASON, MOST_REASONS, QueueNews
from hub.status.rows import stable


def queues_of(status: Mapping[str, Any], shared: Collection[str]) -> list[QueueNews]:
    """The numbers of all queues but those that belong to one client each, of which a row has the sums.

    :param shared: names of queues that hubs share.
    """
    return [_news(name, row, name in shared) for name, row in stable(status["consumers"]).items()]


def reasons_of(status: Mapping[str, Any]) -> list[str]:
    """Why the hub is not ready. What follows a colon stays in the hub: it may be part of a message."""
    return [reason.partition(": ")[0][:LONGEST_REASON] for reason in status["hub"]["not_ready"]][:MOST_REASONS]


def _news(name: str, row: Mapping[str, Any], shared: bool) -> QueueNews:
    by_cause, work = row["dropped_by"], row["consume_histogram"]
    received, backlog, dropped = row["received"], max(0, row["backlog"]), row["dropped"]
    settled = max(received - backlog, dropped)
    return QueueNews(
        name[:LONGEST_NAME],
        received=max(received, settled),
        settled=settled,
        dropped=dropped,
        dropped_on_arrival=min(dropped, by_cause.get("newest", 0) + by_cause.get("drained", 0)),
        busy=work["sum"] if work else 0.0,
        in_flight=row["in_flight"],
        delayed=row["delayed"],
        threads=row["threads"],
        dead_letters=row["dead_letters"],
        rate_in=_rate(row["rate_in"]),
        rate_out=_rate(row["rate_out"]),
        oldest_age=row["oldest_age"],
        catch_up_seconds=row["catch_up_seconds"],
        trend=row["trend"] or "unknown",
        paused=row["paused"],
        shared=shared,
    )


def _rate(rate: float | None) -> float | None:
    return None if rate is None else max(0.0, rate)
