"""Datagrams of the UDP monitor in two formats. Pure.

They contain counts and states only, no content of messages: they are sent unencrypted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from hub.monitoring.datagrams import LIMIT

Row = Mapping[str, Any]
Counts = Mapping[tuple[str, str], float]
"""Counts by consumer and key."""

HUB = ("state", "ready", "uptime", "backlog", "received", "unrouted", "refused", "published", "resident_bytes")
CONSUMER = (
    *("state", "backlog", "in_flight", "delayed", "oldest_age", "catch_up_seconds", "rate_in", "rate_out"),
    *("utilisation", "threads", "received", "finished", "failed", "retried", "dead", "dropped"),
)
LONGEST_NAME = 80
"""Characters of a thread's name; a consumer's is at most 64."""
COUNTERS = {"enqueued": "received", "handled": "finished", "requeued": "retried", "deadletter": "dead"}
"""StatusNet's names of our counters."""
GAUGES = ("backlog", "in_flight", "delayed")
STATES = {"busy": "queue", "leaving": "queue", "dead": "shutdown"}
"""StatusNet's names of a thread's states; ``idle`` is the same, and there is none for ``stuck``."""


@dataclass(frozen=True)
class Sender:
    """Hub that sends. ``time`` in epoch seconds."""

    host: str
    pid: int
    time: float


def json_datagrams(sender: Sender, snapshot: Row, limit: int = LIMIT) -> Iterator[bytes]:
    """JSON datagrams: one for the hub, and one for each consumer with as many of its threads as fit; more for the
    others."""
    head = {"host": sender.host, "pid": sender.pid, "time": _rounded(sender.time)}
    yield _encoded({"kind": "hub", **head, **_chosen(snapshot["hub"], HUB)})
    for name, row in snapshot["consumers"].items():
        first = {"kind": "consumer", **head, "consumer": name, **_chosen(row, CONSUMER)}
        more = {"kind": "workers", **head, "consumer": name}
        workers = [_worker(worker) for worker in row.get("workers") or ()]
        yield from _with_workers(first, more, workers, limit)


def _with_workers(first: Row, more: Row, workers: Sequence[Row], limit: int) -> Iterator[bytes]:
    fields, fitting = first, list[Row]()
    size = len(_encoded({**fields, "workers": []}))
    for worker in workers:
        length = len(_encoded(worker))
        if size + length > limit:
            yield _encoded({**fields, "workers": fitting})
            fields, fitting = more, []
            size = len(_encoded({**fields, "workers": []}))
        fitting.append(worker)
        size += length
    yield _encoded({**fields, "workers": fitting})


def _worker(row: Row) -> Row:
    return {"name": row["name"][:LONGEST_NAME], "state": row["state"], "seconds": _rounded(row.get("seconds"))}


def _chosen(row: Row, keys: Sequence[str]) -> Row:
    return {key: _rounded(row.get(key)) for key in keys}


def _rounded(value: Any) -> Any:
    return value if not isinstance(value, float) else round(value, 3) if math.isfinite(value) else None


def _encoded(fields: Row) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def statusnet_datagrams(sender: Sender, snapshot: Row, grown: Counts) -> Iterator[bytes]:
    """Datagrams in the format of StatusNet's QueueMonitor: a form-encoded line for each thread's state and counter.

    There a datagram means that one more message was handled. Here ``count`` is the number since the last snapshot, left
    out if it is one. ``gauge`` and ``value`` are additions of ours.

    :param grown: growth of each counter.
    """
    for name, row in snapshot["consumers"].items():
        owners = {"owners[0]": f"queue:{name}", "owners[1]": f"site:{sender.host}"}
        for worker in row.get("workers") or ():
            yield urlencode(_thread(sender, name, worker)).encode()
        for counter, key in COUNTERS.items():
            if count := grown.get((name, key)):
                yield urlencode({"counter": counter, **owners, **({"count": count} if count > 1 else {})}).encode()
        for key in GAUGES:
            yield urlencode({"gauge": key, **owners, "value": row[key]}).encode()


def counts(snapshot: Row) -> Counts:
    """Counts whose growth :func:`statusnet_datagrams` sends."""
    return {(name, key): row[key] for name, row in snapshot["consumers"].items() for key in COUNTERS.values()}


def _thread(sender: Sender, consumer: str, worker: Row) -> dict[str, Any]:
    return {
        "thread_id": f"{sender.host}.{sender.pid}.{worker['name'][:LONGEST_NAME]}",
        "state": STATES.get(worker["state"], worker["state"]),
        "substate": "" if worker["state"] == "idle" else consumer,
        # When the thread entered this state: StatusNet sent a datagram at that moment.
        "ts": _rounded(sender.time - (worker.get("seconds") or 0.0)),
    }
