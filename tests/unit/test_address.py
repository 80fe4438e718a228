"""Where the web server listens."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.address import TcpAddress, UnixAddress, parse
from hub.monitoring.web.settings import WebConfig


@pytest.mark.parametrize(
    ("text", "address", "url"),
    [
        ("127.0.0.1:9941", TcpAddress("127.0.0.1", 9941), "http://127.0.0.1:9941/"),
        ("localhost:80", TcpAddress("127.0.0.1", 80), "http://127.0.0.1:80/"),
        ("[::1]:9941", TcpAddress("::1", 9941), "http://[::1]:9941/"),
        ("0.0.0.0:9941", TcpAddress("0.0.0.0", 9941), "http://localhost:9941/"),
        ("[::]:9941", TcpAddress("::", 9941), "http://localhost:9941/"),
    ],
)
def test_addresses_of_tcp(text: str, address: TcpAddress, url: str) -> None:
    assert parse(text) == address
    assert address.url == url


def test_only_loopback_is_this_machine() -> None:
    assert [parse(text).loopback for text in ("127.0.0.1:1", "127.3.2.1:1", "[::1]:1")] == [True] * 3  # type: ignore[union-attr]
    assert [parse(text).loopback for text in ("0.0.0.0:1", "[::]:1", "192.0.2.1:1")] == [False] * 3  # type: ignore[union-attr]


def test_a_unix_socket() -> None:
    assert parse("unix:/run/hubbub/web.sock") == UnixAddress(Path("/run/hubbub/web.sock"))
    assert str(parse("unix:/run/hubbub/web.sock")) == "unix:/run/hubbub/web.sock"


@pytest.mark.parametrize(
    "text",
    [
        *("", ":9941", "9941", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "example.org:80"),
        *("::1:80", "[127.0.0.1]:80", "[::1%lo]:80", "256.0.0.1:80", "unix:", "unix:web.sock", "unix:/a\0b", "*:80"),
        *("unix:/" + "x" * 107, "127.0.0.1:80/", " 127.0.0.1:80", "127.0.0.1:80\n", "127.0.0.1:٨٠"),
    ],
)
def test_what_is_no_address_is_an_error_of_configuration(text: str) -> None:
    with pytest.raises(ValidationError):
        WebConfig(listen=text)


@pytest.mark.parametrize("host", ["hub.example.org", "Hub", "192.0.2.7", "::1", "[2001:db8::1]"])
def test_a_public_host_is_a_name_or_a_number(host: str) -> None:
    assert WebConfig(public_hosts=[host]).public_hosts == [host.lower().strip("[]")]


@pytest.mark.parametrize("host", ["", "https://hub.example.org", "hub.example.org:443", "a b", "*.example.org", "-a"])
def test_a_public_host_has_neither_scheme_nor_port(host: str) -> None:
    with pytest.raises(ValidationError):
        WebConfig(public_hosts=[host])
