"""Parts in datagrams."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hub.monitoring.datagrams import LIMIT, packed


@given(st.lists(st.binary(min_size=1, max_size=40)), st.integers(min_value=1, max_value=100))
def test_parts_are_packed_whole_and_in_order_and_as_few_datagrams_as_that_takes(parts: list[bytes], limit: int) -> None:
    found = list(packed(parts, limit))
    assert b"".join(found) == b"".join(parts)
    assert all(len(datagram) <= max(limit, *map(len, parts)) for datagram in found)
    assert all(len(left) + len(right) > limit for left, right in pairwise(found))


def test_no_part_is_cut_and_none_is_empty() -> None:
    assert list(packed([b"aaa", b"bb", b"cccccc", b"d"], 5)) == [b"aaabb", b"cccccc", b"d"]
    assert list(packed([])) == []


def test_the_limit_fits_into_an_ethernet_frame() -> None:
    assert LIMIT + 40 + 8 <= 1500
