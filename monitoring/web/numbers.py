"""What of the hub's status is for whoever reaches the port: numbers, states and names. Pure.

A consumer may put a whole message into an error, and a library the statement that failed with all its values. So no
text of an error is in it, and no topic or id of a message: of an error only what kind it was and when. The document has
the same fields as the whole one; ``None`` stands where something is withheld.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]

WITHHELD = {"text": None, "topic": None, "message_id": None}
"""Of a consumer's last error."""
TEXTS = frozenset({"type", "state", "address", "endpoint", "endpoints", "role", "subscriptions"})
"""What may be text in what a backend, an exporter or a server says of itself: it may be anybody's code."""
ERRORS = frozenset({"error", "last_error"})
_KIND = re.compile(r"([A-Za-z_]\w*): ")
_PASSWORD = re.compile(r"://\S+@")


def numbers(snapshot: Row) -> dict[str, Any]:
    """Of a whole status; that is left as it is."""
    plain = {key: _plain(rows, key) for key, rows in snapshot.items() if key not in ("hub", "consumers")}
    consumers = {name: _consumer(row) for name, row in snapshot["consumers"].items()}
    return {"hub": _hub(snapshot["hub"]), **plain, "consumers": consumers}


def _hub(hub: Row) -> dict[str, Any]:
    found = {**hub, "not_ready": [_before_colon(reason) for reason in hub.get("not_ready") or ()]}
    if hub.get("store"):
        found["store"] = {**hub["store"], "reason": None}
    return found


def _before_colon(reason: str) -> str:
    """``consumer mail does not start``, ``the store is full``: the error that is the cause stands after the colon."""
    return reason.partition(": ")[0]


def _consumer(row: Row) -> dict[str, Any]:
    found = {
        **row,
        "error": _kind(row.get("error")),
        "tick_error": _kind(row.get("tick_error")),
        "workers": list(_workers(row.get("workers") or ())),
    }
    if row.get("last_error"):
        found["last_error"] = {**row["last_error"], **WITHHELD}
    return found


def _workers(workers: Iterable[Row]) -> Iterable[dict[str, Any]]:
    for worker in workers:
        yield {**worker, "topic": None, "message_id": None}


def _plain(value: Any, key: str) -> Any:
    """Numbers as they are, and the few texts that are known to be harmless, without the passwords of URLs."""
    if isinstance(value, Mapping):
        return {name: _plain(inner, name) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, key) for inner in value]
    if key in ERRORS:
        return _kind(value)
    if isinstance(value, str):
        return _PASSWORD.sub("://***@", value) if key in TEXTS else None
    return value


def _kind(error: Any) -> str | None:
    """``OSError`` of ``OSError: no route to 192.0.2.1``."""
    if not error:
        return None
    found = _KIND.match(error) if isinstance(error, str) else None
    return found[1] if found else "error"
