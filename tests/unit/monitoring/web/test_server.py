"""The web server on real sockets."""

from __future__ import annotations

import logging
import os
import socket
import stat
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openapi_spec_validator import validate

from hub.errors import ConfigError, Unavailable
from hub.monitoring.web import Web
from tests.conftest import ReactorThread
from tests.support import free_port
from tests.unit.doubles import RecordingLog
from tests.unit.monitoring.web.web_server import context


class Running:
    """A server that listens; ``get`` is a client's."""

    def __init__(self, thread: ReactorThread, directory: Path, listen: str, **config: Any) -> None:
        self.thread, self.log, self.listen = thread, RecordingLog(), listen
        self.web = Web(context(directory, thread.reactor, self.log, listen=listen, **config))
        thread.call(self.web.start)

    def connection(self) -> HTTPConnection:
        if not self.listen.startswith("unix:"):
            return HTTPConnection("127.0.0.1", int(self.listen.rpartition(":")[2]), timeout=10)
        connection = HTTPConnection("localhost", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self.listen.removeprefix("unix:"))
        return connection

    def ask(self, method: str, path: str) -> Any:
        connection = self.connection()
        connection.request(method, path)
        answer = msgspec.json.decode(connection.getresponse().read())
        connection.close()
        return answer

    def stop(self) -> None:
        self.thread.call(self.web.stop)


@pytest.fixture
def running(reactor_thread: ReactorThread, tmp_path: Path) -> Iterator[Running]:
    made = Running(reactor_thread, tmp_path, f"127.0.0.1:{free_port()}")
    yield made
    made.stop()


def test_it_answers_while_it_runs_and_its_port_is_free_afterwards(
    reactor_thread: ReactorThread, tmp_path: Path
) -> None:
    listen = f"127.0.0.1:{free_port()}"
    for _ in range(2):
        server = Running(reactor_thread, tmp_path, listen)
        assert server.ask("GET", "/healthz") == {"state": "running"}
        assert server.web.status()["state"] == "listening"
        server.stop()
        server.stop()
        assert server.web.status()["state"] == "stopped"
        with pytest.raises(ConnectionRefusedError):
            server.ask("GET", "/healthz")


def test_a_live_page_ends_when_it_stops(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    server = Running(reactor_thread, tmp_path, f"127.0.0.1:{free_port()}")
    connection = server.connection()
    connection.request("GET", "/events")
    response = connection.getresponse()
    assert response.readline() == b"retry: 2000\n"
    assert server.web.status()["live_pages"] == 1
    server.stop()
    assert b"event: status" in response.read()


def test_an_address_in_use_can_not_be_had(running: Running, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=f"^listen: can't listen at {running.listen}"):
        Running(running.thread, tmp_path, running.listen)


def test_an_address_of_another_machine_can_not_be_had(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        Running(reactor_thread, tmp_path, "192.0.2.1:9941")


def test_beyond_loopback_there_is_a_warning(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    server = Running(reactor_thread, tmp_path, f"0.0.0.0:{free_port()}")
    server.stop()
    warnings = [record.getMessage() for record in server.log.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1
    assert "not encrypted" in warnings[0]


def test_on_loopback_there_is_none(running: Running) -> None:
    assert [record.levelno for record in running.log.records] == [logging.INFO]


def test_a_token_that_others_may_read_keeps_it_from_starting(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    (tmp_path / "web.token").write_text("x" * 43)
    (tmp_path / "web.token").chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        Running(reactor_thread, tmp_path, f"127.0.0.1:{free_port()}")


def test_a_unix_sockets_permissions_stand_in_for_the_token(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    path = tmp_path / "run" / "web.sock"
    server = Running(reactor_thread, tmp_path, f"unix:{path}", mode="0600")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert server.ask("POST", "/api/pause")["who"].endswith(f", pid {os.getpid()}")
    with pytest.raises(Unavailable, match="the address is in use"):
        Running(reactor_thread, tmp_path, f"unix:{path}")
    server.stop()
    assert not path.exists()
    assert not (tmp_path / "web.token").exists()


def test_a_stale_socket_is_replaced_and_another_file_is_not(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    stale, precious = tmp_path / "stale", tmp_path / "precious"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(stale))
    Running(reactor_thread, tmp_path, f"unix:{stale}").stop()
    precious.write_text("do not delete")
    with pytest.raises(ConfigError, match="can't be made"):
        Running(reactor_thread, tmp_path, f"unix:{precious}")
    assert precious.read_text() == "do not delete"


def test_all_that_it_answers_is_in_its_description(running: Running) -> None:
    found = running.ask("GET", "/api/openapi.json")
    validate(found)
    assert {
        *("/", "/static/{path}", "/login", "/events", "/healthz", "/readyz", "/metrics"),
        *("/history", "/history/{queue}", "/spikes/{queue}", "/api/status", "/api/openapi.json", "/api/pause"),
    } <= set(found["paths"])


def test_one_that_never_started_can_be_stopped(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    web = Web(context(tmp_path, reactor_thread.reactor))
    assert web.status()["state"] == "stopped"
    reactor_thread.call(web.stop)
