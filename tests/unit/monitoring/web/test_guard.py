"""Who may do what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from monitoring.web.guard import PENALTY
from monitoring.web.headers import SECURITY
from monitoring.web.server import Web
from monitoring.web.token import read
from tests.unit.doubles import RecordingLog
from tests.unit.monitoring.web.web_server import Answer, ask, connect, context


class Bench:
    """A web server that does not listen; its site is called by hand."""

    def __init__(self, directory: Path, **config: Any) -> None:
        self.clock, self.log = Clock(), RecordingLog()
        self.web = Web(context(directory, self.clock, self.log, **config), self.clock.seconds)
        assert self.web._token is not None
        self.web._token.prepare()
        self.token = read(directory / "web.token")

    def ask(self, method: str, path: str, authorization: str = "", **headers: str) -> Answer:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.web._site, method, path, {"Authorization": authorization, **given})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_numbers_are_for_whoever_reaches_the_port(bench: Bench) -> None:
    assert bench.ask("GET", "/api/openapi.json").json() == {"who": "127.0.0.1"}
    assert bench.ask("GET", "/api/openapi.json", "Bearer wrong").code == 200
    assert bench.ask("GET", "/api/status").code == 200
    assert bench.ask("GET", "/api/status", "Basic dXNlcjpwYXNz").code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/peek"), ("POST", "/api/pause")])
def test_contents_and_actions_need_the_token(bench: Bench, method: str, path: str) -> None:
    refused = bench.ask(method, path)
    assert refused.code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert bench.ask(method, path, f"Bearer {bench.token}").json() == {"who": "token from 127.0.0.1"}
    assert bench.ask(method, path, f"bearer  {bench.token} ").code == 200
    assert bench.log.lines() == []


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer wrong", "Basic dXNlcjpwYXNz", "{token}", "Bearer {token}x"]
)
def test_a_wrong_token_waits_and_is_logged_without_being_told(bench: Bench, authorization: str) -> None:
    channel, wire = connect(bench.web._site)
    given = authorization.format(token=bench.token)
    channel.dataReceived(f"POST /api/pause HTTP/1.1\r\nHost: localhost\r\nAuthorization: {given}\r\n\r\n".encode())
    bench.clock.advance(PENALTY * 0.9)
    assert wire.value() == b""  # type: ignore[no-untyped-call]
    bench.clock.advance(PENALTY)
    assert Answer(wire.value()).code == 401  # type: ignore[no-untyped-call]
    assert bench.log.lines() == ["a wrong token from 127.0.0.1"]
    assert bench.web.status()["wrong_tokens"] == 1


def test_who_knows_the_token_is_not_kept_waiting_by_who_guesses(bench: Bench) -> None:
    for _ in range(50):
        bench.ask("POST", "/api/pause", "Bearer guess")
    assert bench.ask("POST", "/api/pause", f"Bearer {bench.token}").code == 200


def test_who_does_not_wait_for_the_answer_leaves_nothing_behind(bench: Bench) -> None:
    channel, _ = connect(bench.web._site)
    channel.dataReceived(b"POST /api/pause HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer guess\r\n\r\n")
    channel.connectionLost()
    assert bench.clock.getDelayedCalls() == []


def test_a_new_token_holds_at_once(bench: Bench, tmp_path: Path) -> None:
    from monitoring.web.token import create

    new = create(tmp_path / "web.token", replace=True)
    assert bench.ask("POST", "/api/pause", f"Bearer {new}").code == 200
    assert bench.ask("POST", "/api/pause", f"Bearer {bench.token}").code == 0  # it waits


def test_a_server_that_is_read_only_changes_nothing_whoever_asks(tmp_path: Path) -> None:
    bench = Bench(tmp_path, read_only=True)
    refused = bench.ask("POST", "/api/pause", f"Bearer {bench.token}")
    assert refused.code == 403
    assert "read_only" in refused.json()["problems"][0]
    assert bench.ask("GET", "/api/peek", f"Bearer {bench.token}").code == 200


def test_the_proxys_word_is_told_where_it_is_an_address(bench: Bench) -> None:
    def who(claimed: str) -> Any:
        return bench.ask("GET", "/api/openapi.json", X_Forwarded_For=claimed).json()["who"]

    assert who("198.51.100.9, 192.0.2.7") == "127.0.0.1 for 192.0.2.7"
    assert who("2001:DB8::7") == "127.0.0.1 for 2001:db8::7"
    assert who('root"; DROP') == "127.0.0.1"


@pytest.mark.parametrize(
    "path", ["/", "/events", "/healthz", "/metrics", "/history", "/api/status", "/static/icon.svg"]
)
@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": ""}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_another_site_is_refused_everywhere(bench: Bench, path: str, headers: dict[str, str]) -> None:
    refused = ask(bench.web._site, "GET", path, headers)
    assert refused.code == 403
    assert "access-control-allow-origin" not in refused.headers


def test_another_sites_link_may_be_followed_but_its_form_may_not_be_sent(bench: Bench) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert ask(bench.web._site, "GET", "/", headers).code == 200
    assert ask(bench.web._site, "POST", "/api/pause", headers).code == 403


def test_the_names_that_were_configured_may_be_named(tmp_path: Path) -> None:
    bench = Bench(tmp_path, public_hosts=["hub.example.org"])
    headers = {"Host": "hub.example.org", "Origin": "https://hub.example.org", "Sec-Fetch-Site": "same-origin"}
    assert ask(bench.web._site, "GET", "/api/status", headers).code == 200


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        *(
            ("GET", "/", 200),
            ("HEAD", "/", 200),
            ("GET", "/nothing", 404),
            ("GET", "/healthz/more", 404),
            ("GET", "http://localhost:9941/", 404),
            ("GET", "/static/nothing", 404),
        ),
        *(
            ("POST", "/", 405),
            ("PUT", "/healthz", 405),
            ("\xff", "/", 400),
            ("OPTIONS", "*", 404),
            ("FOO", "/api/status", 405),
        ),
        *(
            ("GET", "/history?span=0", 400),
            ("GET", "/%ff%00", 404),
            ("GET", "//", 404),
            ("GET", "//icon.svg", 404),
        ),
    ],
)
def test_the_security_headers_are_in_every_answer(bench: Bench, method: str, path: str, code: int) -> None:
    answer = bench.ask(method, path)
    assert answer.code == code
    for name, value in SECURITY.items():
        if name != b"Cache-Control":
            assert answer.headers[name.decode().lower()] == value.decode()
    assert answer.headers["cache-control"] in ("no-store", "no-cache")
    assert "set-cookie" not in answer.headers
