import pytest

from hub.backends.zeromq.endpoints import Endpoint


@pytest.mark.parametrize(
    ("text", "transport", "host", "port"),
    [
        ("tcp://127.0.0.1:9940", "tcp", "127.0.0.1", "9940"),
        ("tcp://[::1]:9940", "tcp", "::1", "9940"),
        ("tcp://hub.example.org:1", "tcp", "hub.example.org", "1"),
        ("tcp://*:*", "tcp", "*", "*"),
        ("ipc:///run/bus.sock", "ipc", "/run/bus.sock", ""),
        ("ipc://@bus", "ipc", "@bus", ""),
    ],
)
def test_is_taken_apart_and_written_back(text: str, transport: str, host: str, port: str) -> None:
    endpoint = Endpoint.parse(text)
    assert (endpoint.transport, endpoint.host, endpoint.port) == (transport, host, port)
    assert str(endpoint) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("inproc://x", "inproc reaches nothing"),
        ("tcp://::1:9940", "in brackets"),
        ("tcp://[::z]:9940", "not an IPv6 address"),
        ("tcp://[127.0.0.1]:9940", "not an IPv6 address"),
        ("tcp://host", "expected 'tcp://host:port'"),
        ("tcp://host:99999", "at most 65535"),
        ("tcp://host:123456", "expected"),
        ("tcp://-host:1", "not a host name"),
        ("tcp://a;b:1", "expected"),
        ("tcp://a b:1", "expected"),
        ("udp://a:1", "expected"),
        ("ipc://relative", "absolute path"),
        ("ipc:///", "absolute path"),
        ("ipc:///" + "x" * 120, "at most 107"),
        ("", "expected"),
    ],
)
def test_what_can_not_be_used_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Endpoint.parse(text)


@pytest.mark.parametrize("text", ["tcp://127.9.9.9:1", "tcp://[::1]:1", "tcp://localhost:1", "ipc:///a"])
def test_private(text: str) -> None:
    assert Endpoint.parse(text).is_private


@pytest.mark.parametrize("text", ["tcp://*:1", "tcp://0.0.0.0:1", "tcp://[::]:1", "tcp://10.0.0.1:1", "tcp://eth0:1"])
def test_not_private(text: str) -> None:
    assert not Endpoint.parse(text).is_private


def test_any_port() -> None:
    assert Endpoint.parse("tcp://*:0").any_port
    assert Endpoint.parse("tcp://*:*").any_port
    assert not Endpoint.parse("tcp://*:1").any_port
    assert not Endpoint.parse("ipc:///a").any_port
