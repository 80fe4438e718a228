"""Addresses of brokers."""

from __future__ import annotations

import pytest

from hub.backends.broker_address import Address
from hub.backends.stomp.client_address import STOMP


@pytest.mark.parametrize(
    ("text", "address", "written"),
    [
        ("stomp://a", Address("a", 61613, False, STOMP), "stomp://a:61613"),
        ("stomp+ssl://b.example.org", Address("b.example.org", 61614, True, STOMP), "stomp+ssl://b.example.org:61614"),
        ("stomp://127.0.0.1:1/", Address("127.0.0.1", 1, False, STOMP), "stomp://127.0.0.1:1"),
        ("stomp+ssl://[::1]:65535", Address("::1", 65535, True, STOMP), "stomp+ssl://[::1]:65535"),
    ],
)
def test_it_is_read_and_written(text: str, address: Address, written: str) -> None:
    assert STOMP.parse(text) == address
    assert str(address) == written


@pytest.mark.parametrize(
    "text",
    ["a:61613", "tcp://a", "stomp://", "stomp://a:0", "stomp://a:65536", "stomp://a b", "stomp://u:p@a", "ssl://a"],
)
def test_anything_else_is_an_error_that_shows_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        STOMP.parse(text)
