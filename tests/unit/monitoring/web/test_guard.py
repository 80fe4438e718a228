"""Who may do what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from twisted.internet.task import Clock

from hub.http.access import Right
from hub.monitoring.web.guard import PENALTY
from hub.monitoring.web.headers import SECURITY
from hub.monitoring.web.login import make_code
from hub.monitoring.web.server import Web
from hub.monitoring.web.token import create, read
from hub.monitoring.web.tokens import add, remove
from tests.unit.doubles import RecordingLog
from tests.unit.monitoring.web.web_server import NOW, Answer, RecordingAudit, Wire, ask, connect, context


class Bench:
    """A web server that does not listen; its site is called by hand."""

    def __init__(self, directory: Path, **config: Any) -> None:
        self.clock, self.log, self.audit = Clock(), RecordingLog(), RecordingAudit()
        self.web = Web(context(directory, self.clock, self.log, self.audit, **config), self.clock.seconds)
        self.directory = directory
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
    assert bench.ask("GET", "/api/numbers").json() == {"who": "127.0.0.1"}
    assert bench.ask("GET", "/api/numbers", "Bearer wrong").code == 200
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
    from hub.monitoring.web.token import create

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
        return bench.ask("GET", "/api/numbers", X_Forwarded_For=claimed).json()["who"]

    assert who("198.51.100.9, 192.0.2.7") == "127.0.0.1 for 192.0.2.7"
    assert who("2001:DB8::7") == "127.0.0.1 for 2001:db8::7"
    assert who('root"; DROP') == "127.0.0.1"
    assert who("fe80::1%1: done; purge-queue by root pid 1" + "A" * 5000) == "127.0.0.1"


# -- health checks and monitoring systems


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("host", ["", "message_hub:9941", "hub.example.org", "192.0.2.1"])
def test_a_program_may_ask_by_any_name_or_none(bench: Bench, path: str, host: str) -> None:
    """HAProxy's check has no Host, and Prometheus asks by the name of its target."""
    assert ask(bench.web._site, "GET", path, {"Host": host}).code in (0, 200)  # 0: the metrics are still made
    assert ask(bench.web._site, "GET", "/api/status", {"Host": host}).code == 403


def test_a_stock_health_check_of_haproxy_is_answered(bench: Bench) -> None:
    channel, wire = connect(bench.web._site)
    channel.dataReceived(b"GET /readyz HTTP/1.0\r\n\r\n")
    assert Answer(wire.value()).code == 200  # type: ignore[no-untyped-call]


# -- headers that are no text


@pytest.mark.parametrize("name", ["Host", "Origin", "Sec-Fetch-Site", "X-Forwarded-For", "Authorization", "Accept"])
@pytest.mark.parametrize("path", ["/api/status", "/", "/metrics", "/api/pause"])
def test_a_header_of_any_bytes_is_no_fault_of_ours(bench: Bench, name: str, path: str) -> None:
    channel, wire = connect(bench.web._site)
    host = b"" if name == "Host" else b"Host: localhost\r\n"
    channel.dataReceived(b"GET %s HTTP/1.1\r\n%s%s: \xff\xfe\r\n\r\n" % (path.encode(), host, name.encode()))
    bench.clock.advance(PENALTY)
    assert b" 500 " not in wire.value().split(b"\r\n")[0]  # type: ignore[no-untyped-call]
    assert not [line for line in bench.log.lines() if "failed" in line]


# -- tokens


def named(bench: Bench, *rights: Right, lasts: float | None = None) -> str:
    return add(bench.directory / "web.tokens", "ann", list(rights), NOW, lasts)


def test_a_token_may_be_sent_beside_a_proxys_password(bench: Bench) -> None:
    """nginx asks for a password in Authorization; the browser keeps sending it."""
    password = "Basic dXNlcjpwYXNz"
    assert bench.ask("POST", "/api/pause", password, X_Hubbub_Token=bench.token).code == 200
    assert bench.ask("GET", "/api/status", password, X_Hubbub_Token=bench.token).json()["hub"]["not_ready"] == []
    assert bench.ask("POST", "/api/pause", f"Bearer {bench.token}", X_Hubbub_Token="w" * 43).code == 0  # it waits


def test_a_named_token_has_its_rights_and_is_named_in_the_audit(bench: Bench) -> None:
    token = named(bench, "numbers", "contents")
    assert bench.ask("GET", "/api/peek", f"Bearer {token}").json() == {"who": "token ann from 127.0.0.1"}
    refused = bench.ask("POST", "/api/pause", f"Bearer {token}")
    assert refused.code == 403
    assert refused.json()["problems"] == ["the token 'ann' has no right to actions, only to numbers, contents"]


def test_one_for_the_numbers_sees_no_contents(bench: Bench) -> None:
    token = named(bench, "numbers")
    assert bench.ask("GET", "/api/status", f"Bearer {token}").code == 200
    assert bench.audit.reads == []
    assert bench.ask("GET", "/api/peek", f"Bearer {token}").code == 403


def test_one_that_is_over_is_as_good_as_none(bench: Bench) -> None:
    assert bench.ask("GET", "/api/peek", f"Bearer {named(bench, 'contents', lasts=-1.0)}").code == 0


def test_strangers_may_be_shown_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, anonymous="nothing")
    for path in ("/api/status", "/history", "/spikes/c", "/metrics", "/events", "/api/openapi.json"):
        assert bench.ask("GET", path).code == 401, path
    for path in ("/", "/static/icon.svg", "/healthz", "/readyz"):
        assert bench.ask("GET", path).code == 200, path
    token = named(bench, "numbers")
    assert bench.ask("GET", "/api/status", f"Bearer {token}").code == 200
    assert bench.ask("GET", "/metrics", f"Bearer {token}").code == 0  # it is made in another thread


def test_the_code_of_a_link_is_exchanged_once_for_a_session(bench: Bench) -> None:
    code = make_code(bench.token, NOW)
    body = msgspec.json.encode({"code": code})
    session = ask(bench.web._site, "POST", "/login", body=body).json()["token"]
    assert session != bench.token
    assert bench.ask("POST", "/api/pause", X_Hubbub_Token=session).json() == {"who": "token session from 127.0.0.1"}
    assert [one for one in bench.audit.noted if one[1] == "login"] == [("127.0.0.1", "login", "done")]
    assert ask(bench.web._site, "POST", "/login", body=body).code == 0  # it waits
    assert ask(bench.web._site, "POST", "/login", {"Origin": "http://evil.example"}, body).code == 403
    assert ask(bench.web._site, "POST", "/login", body=b"[]").code == 400
    create(bench.directory / "web.token", replace=True)
    assert bench.ask("POST", "/api/pause", X_Hubbub_Token=session).code == 0


@pytest.mark.parametrize("named_one", [False, True])
def test_what_goes_on_ends_with_its_token(bench: Bench, named_one: bool) -> None:
    """Also what is a verb of the hub's, which knows nothing of tokens."""
    token = named(bench, "contents") if named_one else bench.token
    wires = [tail(bench, one) for one in (token, add(bench.directory / "web.tokens", "bob", ["contents"], NOW, None))]
    bench.web._sampler._tick()
    assert [wire.aborted for wire in wires] == [False, False]
    if named_one:
        remove(bench.directory / "web.tokens", "ann")
    else:
        create(bench.directory / "web.token", replace=True)
    bench.web._sampler._tick()
    assert [wire.aborted for wire in wires] == [True, False]
    assert len(bench.web._guard._reading) == 1


def tail(bench: Bench, token: str) -> Wire:
    channel, wire = connect(bench.web._site)
    channel.dataReceived(f"GET /api/tail HTTP/1.1\r\nHost: localhost\r\nX-Hubbub-Token: {token}\r\n\r\n".encode())
    assert b"a message" in wire.value()  # type: ignore[no-untyped-call]
    return wire


def test_who_reads_contents_is_in_the_audit(bench: Bench) -> None:
    bench.ask("GET", "/api/status", f"Bearer {bench.token}")
    bench.ask("GET", "/api/status")
    assert bench.audit.reads == [("token from 127.0.0.1", "status")]


@pytest.mark.parametrize(
    "path", ["/", "/events", "/healthz", "/metrics", "/history", "/api/status", "/static/icon.svg"]
)
@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Host": ""}, {"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_another_site_is_refused_everywhere(bench: Bench, path: str, headers: dict[str, str]) -> None:
    refused = ask(bench.web._site, "GET", path, {"Accept-Language": "en", **headers})
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
