"""Counts of former instances are part of their successors'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.parts.former_counts import FormerCounts
from tests.unit.doubles import RecordingBackend
from tests.unit.parts.test_backends import applied, backends_of, start


def test_counts_are_those_of_all_instances_by_cause_too_and_nothing_else_is_added() -> None:
    former = FormerCounts("backends")
    first = {"state": "x", "received": 3, "peers": 7, "malformed": {"json": 1, "topic": 2}}
    assert former.added("bus", first) == first
    former.keep("bus", first)
    former.keep("bus", {"received": 1, "malformed": {"size": 1}, "disconnects": 2})
    new = {"state": "y", "received": 5, "peers": 1, "malformed": {"json": 4}, "disconnects": 0}
    assert former.added("bus", new) == {
        "state": "y",
        "received": 9,
        "peers": 1,
        "malformed": {"json": 5, "topic": 2, "size": 1},
        "disconnects": 2,
    }
    assert former.added("other", new) == new


def test_a_plugin_that_counts_oddly_or_no_more_breaks_no_row() -> None:
    former = FormerCounts("backends")
    former.keep("bus", {"received": None, "gaps": 4, "malformed": {"json": 1}})
    row = {"state": "failed", "received": 2, "malformed": 3}
    assert former.added("bus", row) == row


class Counting(RecordingBackend):
    def status(self) -> Mapping[str, Any]:
        return {**super().status(), "received": sum(name in ("start", "stop") for name, _ in self.calls)}


def test_the_counts_of_one_that_is_replaced_or_removed_stay() -> None:
    """Also those of its end."""
    rig, reactor, _ = backends_of(bus=Counting)
    start(rig)
    assert rig.manager.status()["bus"]["received"] == 1
    for count in (3, 5):
        applied(rig, reactor, bus=Counting)
        assert rig.manager.status()["bus"]["received"] == count
    applied(rig, reactor, ("bus",))
    applied(rig, reactor, bus=Counting)
    assert rig.manager.status()["bus"]["received"] == 7
