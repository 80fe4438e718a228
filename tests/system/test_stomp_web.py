"""STOMP over WebSocket through the hub's web server: beside the page, with the rules of the STOMP server."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from wsproto.events import AcceptConnection, RejectConnection, RejectData

from tests.support import free_port, wait_until
from tests.system.chromium import Chromium
from tests.system.hubs import RunningHub
from tests.system.stomp_socket import StompSocket
from tests.system.test_stomp_browser import send, site
from tests.unit.backends.stomp.web_client import WebClient

__all__ = ["site"]

pytestmark = pytest.mark.system

PATH = "/backends/stomp/websocket"
CONNECT = "CONNECT\naccept-version:1.2\n\n\0"


class WebHub(RunningHub):
    """A hub with a web server at ``web``, and a STOMP server at ``port``. :param more: settings of the latter."""

    def __init__(self, directory: Path, more: str = "web = true") -> None:
        self.web, self.port = free_port(), free_port()
        text = f"""
[servers.web]
type = "web"
listen = "127.0.0.1:{self.web}"
[backends.stomp]
type = "stomp-server"
listen = ["127.0.0.1:{self.port}"]
{more}
"""
        super().__init__(directory, text)

    def backend(self) -> dict[str, Any]:
        row: dict[str, Any] = self.status()["backends"]["stomp"]
        return row


class Browser(WebClient):
    """A WebSocket client of the web server."""

    def __init__(self, port: int, path: str = PATH, host: str = "localhost", first: str = "", **headers: str) -> None:
        super().__init__()
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        named = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
        request = self.request(target=path, headers=named).replace(b"Host: localhost", b"Host: " + host.encode())
        self.socket.sendall(request + first.encode())
        self.answer = self.event()

    def event(self) -> object:
        while True:
            for event in self.connection.events():
                return event
            self.connection.receive_data(self.socket.recv(65536) or None)

    def send(self, text: str) -> None:
        self.socket.sendall(self.message(text))

    def text(self) -> str:
        event: Any = self.event()
        return str(event.data)

    def refusal(self) -> tuple[int, str]:
        """Status and body of a refused handshake."""
        assert isinstance(self.answer, RejectConnection), self.answer
        event = self.event()
        assert isinstance(event, RejectData)
        return self.answer.status_code, bytes(event.data).decode()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[WebHub]:
    with WebHub(tmp_path) as hub:
        yield hub


def get(port: int, path: str, *headers: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", ""]
        client.sendall("\r\n".join(lines).encode())
        found = b""
        while piece := client.recv(65536):
            found += piece
        return found


def test_frames_come_and_go_beside_the_page_and_the_port(hub: WebHub) -> None:
    browser = Browser(hub.web)
    assert isinstance(browser.answer, AcceptConnection)
    assert browser.answer.subprotocol == "v12.stomp"
    browser.send(CONNECT)
    assert browser.text().startswith("CONNECTED\n")
    browser.send("SUBSCRIBE\nid:1\ndestination:/topic/a\nreceipt:r\n\n\0")
    assert browser.text().startswith("RECEIPT\n")
    with StompSocket(hub.port) as other:
        other.receipt("SEND", b"from TCP", destination="/topic/a")
        assert "from TCP" in browser.text()
        other.receipt("SUBSCRIBE", id="1", destination="/topic/b")
        browser.send("SEND\ndestination:/topic/b\n\n" + "x" * 100_000 + "\0")
        assert other.wait("MESSAGE").body == b"x" * 100_000
        assert hub.backend()["peers"] == 2
    assert hub.status()["servers"]["web"]["connections"] == 0
    assert b" 200 OK" in get(hub.web, "/healthz")
    browser.socket.close()
    wait_until(lambda: hub.backend()["peers"] == 0)
    assert hub.stop() == 0


def test_it_ends_with_the_hub_in_order(hub: WebHub) -> None:
    browser = Browser(hub.web)
    browser.send(CONNECT)
    browser.text()
    hub.process.terminate()
    assert "the server stops: connect again later" in browser.text()


def test_it_is_off_by_default(tmp_path: Path) -> None:
    with WebHub(tmp_path, "") as hub:
        status, text = Browser(hub.web).refusal()
        assert (status, "there is nothing at" in text) == (404, True)


def test_a_plain_request_is_told(hub: WebHub) -> None:
    found = get(hub.web, PATH)
    assert b" 400 " in found
    assert b"expected 'Upgrade: websocket'" in found


@pytest.mark.parametrize(
    ("origins", "origin", "status"),
    [
        ("", "http://localhost:8000", 101),
        ("", "https://example.org", 403),
        ('origins = ["https://example.org"]', "https://example.org", 101),
        ('origins = ["https://example.org"]', "http://localhost:8000", 403),
    ],
)
def test_the_origins_are_those_of_the_stomp_server(tmp_path: Path, origins: str, origin: str, status: int) -> None:
    with WebHub(tmp_path, f"web = true\n{origins}") as hub:
        kind = "cross-site" if "example" in origin else "same-site"
        browser = Browser(hub.web, Origin=origin, Sec_Fetch_Site=kind, Sec_Fetch_Mode="websocket")
        if status == 101:
            assert isinstance(browser.answer, AcceptConnection)
        else:
            told = f"pages of origin {origin!r} may not connect: see 'origins'\n"
            assert browser.refusal() == (403, told)
            assert hub.backend()["disconnected"] == {"websocket": 1}


def test_other_verbs_still_refuse_other_origins(hub: WebHub) -> None:
    assert b" 403 " in get(hub.web, "/api/status", "Origin: https://example.org")


def test_a_name_that_is_not_the_server_s_is_refused(hub: WebHub) -> None:
    status, text = Browser(hub.web, host="rebound.example.org").refusal()
    assert (status, "public_hosts" in text) == (403, True)


def test_limits_and_logins_are_those_of_the_stomp_server(tmp_path: Path) -> None:
    with WebHub(tmp_path, "web = true\nmax_connections_per_address = 1\nmax_before_login = 1024") as hub:
        first = Browser(hub.web)
        assert isinstance(first.answer, AcceptConnection)
        refused = get(hub.web, PATH, "Upgrade: websocket")
        assert refused.startswith(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: ")
        assert b"there are 1 connections from 127.0.0.1: no more are accepted" in refused
        first.send("CONNECT\nx:" + "y" * 2000 + "\n\n\0")
        assert first.text().startswith("ERROR\n")
        first.socket.close()
        wait_until(lambda: hub.backend()["peers"] == 0)
        proxied = Browser(hub.web, X_Forwarded_For="192.0.2.1")
        proxied.send(CONNECT)
        assert "login" in proxied.text()


def test_a_reload_turns_it_on_and_off_and_the_web_server_may_begin_anew(tmp_path: Path) -> None:
    with WebHub(tmp_path, "") as hub:
        text = hub.file.read_text()
        hub.file.write_text(f"{text}web = true\n")
        hub.client.post("/reload", {})
        browser = Browser(hub.web)
        browser.send(CONNECT)
        assert browser.text().startswith("CONNECTED\n")
        hub.file.write_text(f"{text}web = true\n".replace('type = "web"', 'type = "web"\nread_only = true'))
        hub.client.post("/reload", {})
        browser.send("SEND\ndestination:/topic/a\nreceipt:r\n\n\0")
        assert browser.text().startswith("RECEIPT\n")
        hub.file.write_text(text)
        hub.client.post("/reload", {})
        assert Browser(hub.web).refusal()[0] == 404


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with Chromium() as made:
        yield made


def test_stompjs_in_a_browser(chromium: Chromium, site: str, hub: WebHub) -> None:
    url = f"ws://127.0.0.1:{hub.web}{PATH}"
    with chromium.page(f"{site}?url={url}") as page:
        expect(page.get_by_role("status")).to_have_text(f"connected to {url}")
        send(page, "/topic/org.example.a", "hello")
        expect(page.get_by_role("listitem").first).to_have_text("/topic/org.example.a: hello")
