"""The web server of a real hub, as programs see it."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support import PATIENCE, free_port, wait_until
from tests.system.hubs import RunningHub
from tests.system.lagging import BEHIND, lagging_hub
from tests.system.web_client import WebClient, bearer

pytestmark = pytest.mark.system

HEADERS = (
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "cache-control",
)


def server(listen: str, more: str = "") -> str:
    return f'[servers.web]\ntype = "web"\nlisten = "{listen}"\n{more}\n'


@contextmanager
def web_hub(directory: Path, more: str = "") -> Iterator[tuple[RunningHub, WebClient, str]]:
    """A hub that is 545 behind, its web server, and the token."""
    port = free_port()
    with lagging_hub(directory, server(f"127.0.0.1:{port}", more)) as hub:
        yield hub, WebClient(port), (directory / "state" / "web.token").read_text().strip()


def test_actions_need_the_token_and_are_audited_with_who(tmp_path: Path) -> None:
    with web_hub(tmp_path) as (hub, client, token):
        assert stat.S_IMODE((tmp_path / "state" / "web.token").stat().st_mode) == 0o600
        order = {"consumer": "fast"}
        assert client.ask("POST", "/api/pause", order).code == 401
        assert client.ask("POST", "/api/pause", order, **bearer("wrong" * 10)).code == 401
        assert hub.consumer("fast")["state"] == "running"
        assert client.ask("POST", "/api/pause", order, **bearer(token)).json()["paused"]
        assert hub.consumer("fast")["state"] == "paused"
        assert client.ask("GET", "/api/threads/fast").code == 401
        assert client.ask("GET", "/api/threads/fast", **bearer(token)).code == 200
        audit = (tmp_path / "state" / "audit.log").read_text()
        assert "token from 127.0.0.1" in audit
        hub.logs("a wrong token from 127.0.0.1")
        for text in (hub.log, audit, str(hub.status())):
            assert token not in text
            assert "wrongwrong" not in text


def test_a_new_token_holds_at_once(tmp_path: Path) -> None:
    with web_hub(tmp_path) as (hub, client, token):
        new = json.loads(hub.command("web", "--new-token", "--json").stdout)["token"]
        assert new != token
        assert client.ask("POST", "/api/resume", {"consumer": "fast"}, **bearer(token)).code == 401
        assert client.ask("POST", "/api/resume", {"consumer": "fast"}, **bearer(new)).code == 200


def test_a_link_is_good_once(tmp_path: Path) -> None:
    with web_hub(tmp_path) as (hub, client, token):
        code = hub.command("web").stdout.strip().partition("#code=")[2]
        session = json.loads(client.ask("POST", "/login", {"code": code}).body)["token"]
        assert client.ask("POST", "/login", {"code": code}).code == 401
        assert client.ask("POST", "/api/resume", {"consumer": "fast"}, **{"X-Hubbub-Token": session}).code == 200
        audit = (tmp_path / "state" / "audit.log").read_text()
        assert '"action":"login"' in audit
        assert "token session from 127.0.0.1" in audit
        assert code not in audit
        assert session not in audit
        assert token not in audit


def test_a_tail_ends_with_its_token(tmp_path: Path) -> None:
    with web_hub(tmp_path) as (hub, client, token):
        with socket.create_connection(("127.0.0.1", client.port), timeout=20 * PATIENCE) as line:
            line.sendall(f"GET /api/tail HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            assert line.recv(1 << 16).startswith(b"HTTP/1.1 200")
            hub.command("web", "--new-token")
            with suppress(ConnectionResetError):
                assert not line.recv(1 << 16)
        audit = (tmp_path / "state" / "audit.log").read_text()
        assert '"action":"tail","order":{},"outcome":"read"' in audit


def test_named_tokens_have_rights_and_names(tmp_path: Path) -> None:
    with web_hub(tmp_path) as (hub, client, _):
        viewer = hub.command("web", "add-token", "screen", "--rights", "contents", "--expires", "1d").stdout.strip()
        assert client.ask("GET", "/api/threads/fast", **bearer(viewer)).code == 200
        assert client.ask("POST", "/api/pause", {"consumer": "fast"}, **bearer(viewer)).code == 403
        hub.command("web", "remove-token", "screen")
        assert client.ask("GET", "/api/threads/fast", **bearer(viewer)).code == 401
        assert "token screen from 127.0.0.1" in (tmp_path / "state" / "audit.log").read_text()


def test_other_sites_are_refused_and_every_answer_has_the_security_headers(tmp_path: Path) -> None:
    with web_hub(tmp_path) as (_, client, token):
        paths = ("/", "/healthz", "/readyz", "/metrics", "/history", "/spikes/fast", "/api/status", "/nothing")
        replies = [client.ask("GET", path) for path in paths]
        assert [reply.code for reply in replies] == [200] * 7 + [404]
        language = {"Accept-Language": "en"}  # as every browser has it
        foreign = [client.ask("GET", path, Host="evil.example", **language) for path in paths]
        foreign += [client.ask("GET", path, Origin="http://evil.example") for path in paths]
        order = {"consumer": "fast"}
        foreign.append(client.ask("POST", "/api/pause", order, Origin="http://evil.example", **bearer(token)))
        assert {reply.code for reply in foreign} == {403}
        for reply in (*replies, *foreign, client.ask("DELETE", "/"), client.ask("POST", "/api/pause", {})):
            assert [name for name in HEADERS if name not in reply.headers] == []
            assert not [name for name in reply.headers if name.startswith("access-control")]


def test_read_only_shows_and_changes_nothing(tmp_path: Path) -> None:
    with web_hub(tmp_path, "read_only = true") as (hub, client, token):
        assert client.ask("POST", "/api/pause", {"consumer": "fast"}, **bearer(token)).code == 403
        assert client.ask("POST", "/api/purge-queue", {"queue": "SlowConsumer"}, **bearer(token)).code == 403
        assert hub.consumer("SlowConsumer")["backlog"] == BEHIND

        wait_until(lambda: _shown(client, "SlowConsumer") == BEHIND, 10, "the page's next second")


def test_545_are_545_wherever_one_looks(tmp_path: Path) -> None:
    with web_hub(tmp_path) as (_, client, _):
        shown = 'hubbub_consumer_backlog_messages{consumer="SlowConsumer"} 545.0'
        wait_until(lambda: shown in client.ask("GET", "/metrics").body.decode(), 20, "numbers of now")
        wait_until(lambda: _shown(client, "SlowConsumer") == _shown(client, "fast") + BEHIND == BEHIND, 20, "the page")
        for snapshot in client.events(3):
            assert snapshot["consumers"]["SlowConsumer"]["backlog"] == BEHIND
        wait_until(lambda: _last(client, "SlowConsumer", "backlog") == BEHIND, 10, "a second of history")
        assert _last(client, "SlowConsumer", "backlog_max") == BEHIND
        wait_until(lambda: _last(client, "fast", "backlog") == 0, 10, "a second of history after it")
        (spike,) = client.ask("GET", "/spikes/SlowConsumer").json()["spikes"]
        assert (spike["peak"], spike["cleared_at"]) == (BEHIND, None)


def _shown(client: WebClient, name: str) -> int:
    """Its backlog in the page's last second."""
    return int(client.ask("GET", "/api/status").json()["consumers"][name]["backlog"])


def _last(client: WebClient, name: str, column: str) -> object:
    """``None`` until there is one."""
    consumers = client.ask("GET", "/history?span=5").json()["consumers"]
    return consumers[name][column][-1] if name in consumers else None


def _worker(client: WebClient) -> dict[str, Any]:
    """The one worker of the slow consumer. Between two messages it has none."""
    (worker,) = client.ask("GET", "/api/status").json()["consumers"]["SlowConsumer"]["workers"]
    return dict(worker)


def test_readiness_names_each_reason(tmp_path: Path) -> None:
    with web_hub(tmp_path) as (_, client, token):
        ready = client.ask("GET", "/readyz")
        assert (ready.code, ready.json()) == (200, {"ready": True, "reasons": []})
        assert client.ask("GET", "/healthz").json() == {"state": "running"}
        assert client.ask("POST", "/api/drain-hub", {}, **bearer(token)).code == 200
        wait_until(lambda: client.ask("GET", "/readyz").code == 503, 10, "readiness to turn red")
        refused = client.ask("GET", "/readyz").json()
        assert refused["ready"] is False
        assert len(refused["reasons"]) == 1
        assert client.ask("GET", "/healthz").code == 200


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_history_and_spikes_outlast_the_hub(tmp_path: Path, end: signal.Signals) -> None:
    with web_hub(tmp_path) as (hub, client, _):
        wait_until(lambda: _last(client, "SlowConsumer", "backlog") == BEHIND, 10, "a second of history")
        (spike,) = client.ask("GET", "/spikes/SlowConsumer").json()["spikes"]
        if end == signal.SIGKILL:
            wait_until(lambda: _kept(tmp_path), 20, "the history to be written")
        hub.stop(end)
        with hub:
            known = client.ask("GET", "/history/SlowConsumer").json()["consumers"]["SlowConsumer"]["backlog_max"]
            assert BEHIND in known
            assert client.ask("GET", "/spikes/SlowConsumer").json()["spikes"][0] == spike


def _kept(directory: Path) -> bool:
    with closing(sqlite3.connect(directory / "state" / "history.db")) as connection:
        highest = connection.execute("SELECT max(highest) FROM history").fetchone()[0]
        spikes = connection.execute("SELECT max(peak) FROM spikes").fetchone()[0]
        return bool(highest == spikes == BEHIND)


def test_a_damaged_history_is_set_aside_and_the_hub_runs(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "history.db").write_bytes(b"this is no database, is it?" * 1000)
    with web_hub(tmp_path) as (hub, client, _):
        wait_until(lambda: _last(client, "SlowConsumer", "backlog") == BEHIND, 10, "a second of history")
        assert (tmp_path / "state" / "history.db.damaged").exists()
        hub.logs("the history was damaged")


def stuck_browser(port: int) -> socket.socket:
    """It asks for snapshots, and does not read them; little is kept for it on its own side."""
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.settimeout(20 * PATIENCE)
    stuck.connect(("127.0.0.1", port))
    stuck.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return stuck


def test_browsers_that_do_not_read_hold_nothing_up_and_get_the_newest_when_they_do(tmp_path: Path) -> None:
    """Each snapshot has 200 kB, so that one fills what the kernel keeps for them."""
    topics = [f"org.example.{'x' * 50}.{number}" for number in range(3000)]
    long = f'[consumers.long]\ntype = "slow"\ndelay = 0\ntopics = {json.dumps(topics)}\n'
    with web_hub(tmp_path, long) as (hub, client, _), ExitStack() as stack:
        before = hub.status()["hub"]["resident_bytes"]
        stuck = [stack.enter_context(stuck_browser(client.port)) for _ in range(20)]
        wait_until(lambda: hub.status()["servers"]["web"]["live_pages"] == 20, 10, "20 live pages")
        times = [snapshot["hub"]["time"] for snapshot in client.events(12)]
        assert 9.5 < times[-1] - times[1] < 10.5 * PATIENCE
        hub.command("feed", str(hub.directory / "messages.jsonl"), "--quiet")
        hub.wait_for("fast", "finished", 2 * BEHIND, timeout=20)
        assert hub.status()["hub"]["resident_bytes"] - before < 20 << 20
        for browser in stuck:
            lines = iter(browser.makefile("rb").readline, b"")
            events = (json.loads(line[6:]) for line in lines if line.startswith(b"data: "))
            assert next(events)["hub"]["time"] < times[1]
            assert next(events)["hub"]["time"] >= times[-1]


def test_a_unix_socket_needs_no_token_and_knows_who_asks(tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    with lagging_hub(tmp_path, server(f"unix:{path}", 'mode = "0600"')) as hub:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        client = WebClient(path)
        wait_until(lambda: _worker(client)["message_id"], what="a message in the hand of the worker")
        assert client.ask("POST", "/api/pause", {"consumer": "fast"}).json()["paused"]
        assert client.ask("GET", "/", Host="evil.example").code == 403
        assert f"pid {os.getpid()}" in (tmp_path / "state" / "audit.log").read_text()
        assert not (tmp_path / "state" / "web.token").exists()
        assert f"curl --unix-socket {path}" in hub.command("web").stdout
        assert hub.stop() == 0
        assert not path.exists()


def test_a_reload_from_the_page_that_changes_its_server_is_answered(tmp_path: Path) -> None:
    with web_hub(tmp_path) as (hub, client, token):
        hub.file.write_text(hub.file.read_text() + "read_only = true\n")
        reply = client.ask("POST", "/api/reload", {}, **bearer(token))
        assert reply.code == 200
        assert client.ask("POST", "/api/reload", {}, **bearer(token)).code == 403
        wait_until(lambda: _last(client, "SlowConsumer", "backlog") == BEHIND, 10, "a second of history")


def test_an_address_in_use_is_said(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        with RunningHub(tmp_path, f'[backends.m]\ntype = "memory"\n{server(place)}', ready=False) as hub:
            assert hub.process.wait(20 * PATIENCE) != 0
            assert f"can't listen at {place}" in hub.log
