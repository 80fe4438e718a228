import pytest

from hub.backends.stomp.handshake import best_subprotocol, http_answer, is_allowed


@pytest.mark.parametrize(
    ("offered", "best"),
    [
        (["v10.stomp", "v12.stomp", "v11.stomp"], "v12.stomp"), (["mqtt", "v10.stomp"], "v10.stomp"),
        (["v13.stomp"], None), ([], None),
    ],
)  # fmt: skip
def test_the_best_of_the_offered_subprotocols(offered: list[str], best: str | None) -> None:
    assert best_subprotocol(offered) == best


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example", ["https://a.example"]),
        ("https://a.example:443", ["https://a.example"]),
        ("https://a.example", ["https://a.example:443"]),
        ("HTTPS://A.example", ["https://a.example"]),
        ("http://a.example:8080", ["https://b.example", "http://a.example:8080"]),
        ("http://localhost:3000", ["http://localhost:*"]),
        ("http://localhost", ["http://localhost:*"]),
        ("http://[::1]:3000", ["http://[::1]:*"]),
        ("null", ["null"]),
        ("http://anything", ["*"]),
    ],
)
def test_an_origin_that_may_connect(origin: str, allowed: list[str]) -> None:
    assert is_allowed(origin, allowed)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://a.example", []),
        ("http://a.example", ["https://a.example"]),
        ("https://a.example:8443", ["https://a.example"]),
        ("https://a.example.evil.example", ["https://a.example"]),
        ("https://evil.example/https://a.example", ["https://a.example"]),
        ("https://a.example@evil.example", ["https://a.example"]),
        ("https://evil@a.example", ["https://a.example"]),
        ("http://localhost:x", ["http://localhost:*"]),
        ("http://localhost:99999", ["http://localhost:*"]),
        ("http://localhost:80/", ["http://localhost:*"]),
        ("http://localhost.evil.example:80", ["http://localhost:*"]),
        ("null", ["http://localhost:*"]),
        ("", ["http://localhost:*"]),
        ("http://[::1", ["http://[::1]:*"]),
        ("http://:80", ["http://:*"]),
    ],
)
def test_an_origin_that_may_not(origin: str, allowed: list[str]) -> None:
    assert not is_allowed(origin, allowed)


def test_an_answer_of_http() -> None:
    answer = http_answer("400 Bad Request", "ä", "X: y\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\nX: y\r\n")
    assert b"\r\nContent-Length: 3\r\n" in answer
    assert answer.endswith(b"\r\n\r\n\xc3\xa4\n")
