"""Which addresses may be connected to."""

from __future__ import annotations

import pytest

from hub.consumers.webhook.guard import ForbiddenAddress, Guard


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_ones_may(address: str) -> None:
    assert Guard([]).allows(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
        *("fec0::1", "feff:ffff::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1"),
        *("2002:a00:1::1", "", "localhost", "1.2.3", "0x7f000001"),
    ],
)
def test_all_others_may_not(address: str) -> None:
    assert not Guard([]).allows(address)
    with pytest.raises(ForbiddenAddress, match="which is private: 'allow_private' does not name it"):
        Guard([]).check("example.org", address)


def test_those_that_are_allowed_may() -> None:
    guard = Guard(["10.1.0.0/16", "::1", "127.0.0.1"])
    assert [guard.allows(one) for one in ("10.1.2.3", "10.2.0.1", "::1", "127.0.0.1", "127.0.0.2")] == [
        *(True, False, True, True, False)
    ]
    assert guard.allows("::ffff:10.1.2.3")
    assert not guard.allows("::ffff:10.2.2.3")
