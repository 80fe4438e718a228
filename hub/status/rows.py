"""Which rows of the status stand for what. It needs no types, so that a command that reads a status starts quickly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def stable(rows: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """The rows of a section that are exported: all but those that another row sums.

    Their names come and go with clients; a receiver of numbers keeps every name that it was ever sent.
    """
    return {name: row for name, row in rows.items() if row.get("summed_in") is None}


def sums_queues(row: Mapping[str, Any]) -> bool:
    """Tell whether a row sums several queues, and is none itself."""
    return "queues" in row
