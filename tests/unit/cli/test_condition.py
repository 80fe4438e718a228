"""What a consumer is, for people."""

from __future__ import annotations

import pytest

from hub.cli.condition import condition, held


@pytest.mark.parametrize(
    ("state", "paused", "draining", "text"),
    [
        ("running", False, False, "running"),
        ("paused", True, False, "paused"),
        ("draining", False, True, "draining"),
        ("drained", False, True, "drained"),
        ("stuck", False, True, "stuck, draining"),
        ("failing to start", True, False, "failing to start, paused"),
    ],
)
def test_an_order_is_told_where_the_state_does_not_tell_it(state: str, paused: bool, draining: bool, text: str) -> None:
    row = {"state": state, "paused": paused, "draining": draining}
    assert condition(row) == text
    assert held(row) == (paused or draining)
