"""What a consumer's row of the status tells of its conditions."""

from __future__ import annotations

import pytest

from hub.stats.condition import Facts, conditions, rows
from hub.stats.outcomes import Recent
from hub.stats.reading import held, level, told, words


def test_a_row_of_an_earlier_hub_is_told_by_its_state_and_its_orders() -> None:
    row = {"state": "stuck", "paused": True, "draining": False}
    assert (words(row), level(row)) == ("stuck, paused", "bad")
    assert told(row)[1] == {"word": "paused", "level": "info", "reason": ""}


def test_the_level_is_that_of_the_first() -> None:
    row = {"conditions": rows(conditions(Facts("failing to start", Recent(), 0.0, orders=["paused"])))}
    assert (words(row), level(row)) == ("failing to start, paused", "bad")


@pytest.mark.parametrize("state", ["running", "stuck", "failing to start", "orphan"])
def test_who_has_no_order_is_not_held(state: str) -> None:
    assert not held({"state": state, "paused": False, "draining": False})
