"""Names of other hubs' nodes, as they are shown."""

from __future__ import annotations

import pytest

from hub.cluster.names import LONGEST_SHOWN, shown_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("alpha", "alpha"),
        ("alpha (this hub)", "alpha (this hub)"),
        ("a" + " " * 60 + "this hub", "a this hub"),
        (" a\u2003b\u00a0c ", "a\\u2003b\\xa0c"),
        ("a\x1b[31m\nb\u202e", r"a\x1b[31m\nb\u202e"),
        ("x" * LONGEST_SHOWN, "x" * LONGEST_SHOWN),
        ("x" * 255, "x" * (LONGEST_SHOWN - 1) + "…"),
        ("é" * 255, "é" * (LONGEST_SHOWN - 1) + "…"),
    ],
)
def test_a_name_is_one_line_of_bounded_length(name: str, shown: str) -> None:
    assert shown_name(name) == shown
    assert shown_name(shown) == shown
