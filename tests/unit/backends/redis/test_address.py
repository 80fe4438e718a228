"""Addresses of servers."""

from __future__ import annotations

import pytest

from hub.backends.redis.address import SENTINEL, SERVER


@pytest.mark.parametrize(
    ("text", "host", "port", "tls", "shown"),
    [
        ("redis://a.example", "a.example", 6379, False, "redis://a.example:6379"),
        ("rediss://10.0.0.1:7000/", "10.0.0.1", 7000, True, "rediss://10.0.0.1:7000"),
        ("redis://[::1]:1", "::1", 1, False, "redis://[::1]:1"),
    ],
)
def test_its_parts_and_its_text(text: str, host: str, port: int, tls: bool, shown: str) -> None:
    address = SERVER.parse(text)
    assert (address.host, address.port, address.tls, str(address)) == (host, port, tls, shown)


def test_a_sentinel_has_another_port() -> None:
    assert SENTINEL.parse("redis://a").port == 26379


@pytest.mark.parametrize(
    "text", ["", "localhost", "http://a", "redis://", "redis://a:0", "redis://a:70000", "redis://a b"]
)
def test_others_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        SERVER.parse(text)


def test_what_others_may_read() -> None:
    shown = {
        text: SERVER.parse(text).is_private for text in ("redis://127.0.0.1", "redis://localhost", "redis://[::1]")
    }
    assert set(shown.values()) == {True}
    assert SERVER.parse("rediss://a.example").is_private
    assert not SERVER.parse("redis://a.example").is_private
