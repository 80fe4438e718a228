"""Which rows of the status stand for what."""

from __future__ import annotations

from typing import Any

from hub.status.rows import stable, sums_queues

ROWS: dict[str, dict[str, Any]] = {
    "jobs": {"backlog": 1},
    "one": {"backlog": 2, "summed_in": "all"},
    "all": {"backlog": 2, "queues": 1, "summed_in": None},
}


def test_rows_that_another_sums_are_not_exported() -> None:
    assert list(stable(ROWS)) == ["jobs", "all"]


def test_a_row_of_sums_is_no_queue() -> None:
    assert [name for name, row in ROWS.items() if sums_queues(row)] == ["all"]
