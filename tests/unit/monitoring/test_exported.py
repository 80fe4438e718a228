"""Operators' dashboards stand on the names, types, units, labels and numbers that an earlier version exported.

``golden/`` has a status, and each line that the first version made of it. Lines may be added to them, none may change.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.monitoring.exported import EXPORTED

GOLDEN = Path(__file__).with_name("golden")
STATUS = json.loads((GOLDEN / "status.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", EXPORTED)
def test_what_was_exported_is_exported_as_it_was(name: str) -> None:
    before = (GOLDEN / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert len(before) > 70
    now = EXPORTED[name](STATUS)
    assert [line for line in before if line not in now] == []
    assert len(now) == len(set(now)), "a number is exported twice"


@pytest.mark.parametrize("name", EXPORTED)
def test_a_queue_whose_row_another_one_sums_is_not_exported(name: str) -> None:
    """Its name comes and goes with a client."""
    consumers = STATUS["consumers"]
    one = {**next(iter(consumers.values())), "declared": True, "summed_in": "stomp subscriptions"}
    sums = {**one, "summed_in": None, "queues": 1, "largest_backlog": one["backlog"]}
    with_sums = {**STATUS, "consumers": {**consumers, "stomp subscriptions": sums}}
    alone = EXPORTED[name](with_sums)
    both = EXPORTED[name]({**with_sums, "consumers": {**with_sums["consumers"], "stomp-1f-7-1": one}})
    assert both == alone
    assert len(alone) > len(EXPORTED[name](STATUS))
    assert not any("stomp-1f-7-1" in line or "stomp_1f_7_1" in line for line in both)
