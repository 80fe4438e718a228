"""Parts in datagrams, and the channel that they go by."""

from __future__ import annotations

import socket
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.datagrams import LIMIT, Channel, packed
from tests.support import free_port, wait_until
from tests.unit.monitoring.receivers import LOOPBACK, received, udp_socket


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


def test_what_is_sent_arrives_by_one_socket() -> None:
    with udp_socket() as receiver:
        channel = Channel(LOOPBACK, receiver.getsockname()[1])
        channel.send([b"one"])
        _, first = receiver.recvfrom(100)
        channel.send([b"two", b"three"])
        second, third = receiver.recvfrom(100), receiver.recvfrom(100)
        channel.close()
        channel.close()
    assert second == (b"two", first)
    assert third == (b"three", first)


def refused(channel: Channel) -> bool:
    try:
        channel.send([b"?"])
    except ConnectionRefusedError:
        return True
    return False


def test_the_sender_is_told_that_nobody_listens_and_goes_on_once_somebody_does() -> None:
    port = free_port(socket.SOCK_DGRAM)
    channel = Channel(LOOPBACK, port)
    wait_until(lambda: refused(channel))
    with udp_socket(port) as receiver:
        channel.send([b"again"])
        assert received(receiver) == [b"again"]
    channel.close()


def test_an_unknown_name_is_an_error_each_time() -> None:
    channel = Channel("no-such-host.invalid", 1)
    for _ in range(2):
        with pytest.raises(OSError):
            channel.send([b"?"])
