"""A real hub with as many STOMP clients as it admits."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub
from tests.system.stomp_socket import StompSocket

CLIENTS = 1000
MOST_OF_ONE = 40 << 10
"""Bytes of an idle connection. RabbitMQ needs some hundred thousand."""

pytestmark = pytest.mark.system


@pytest.fixture
def many_files() -> Iterator[None]:
    """File descriptors for all clients of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4 * CLIENTS)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_a_thousand_clients(tmp_path: Path) -> None:
    port = free_port()
    text = (
        f'[hub]\nstate_dir = "{tmp_path / "state"}"\n\n'
        f'[backends.stomp]\ntype = "stomp-server"\nlisten = ["127.0.0.1:{port}"]\nmax_connections = {CLIENTS}\n'
    )
    with RunningHub(tmp_path, text) as hub, contextlib.ExitStack() as clients:
        before = hub.status()["hub"]["resident_bytes"]
        opened = [clients.enter_context(StompSocket(port, heart_beat="0,10000")) for _ in range(CLIENTS)]
        idle = hub.status()
        assert idle["backends"]["stomp"]["peers"] == CLIENTS
        assert idle["hub"]["resident_bytes"] - before < CLIENTS * MOST_OF_ONE

        with StompSocket(port, "1.2", False) as refused:
            error = refused.wait()
            assert error.headers["message"] == f"there are {CLIENTS} connections: no more are accepted"

        for number, one in enumerate(opened):
            one.send("SEND", b"x", destination="/topic/a", receipt=str(number))
        assert [one.wait().headers["receipt-id"] for one in opened] == [str(number) for number in range(CLIENTS)]
        opened[0].socket.close()
        wait_until(lambda: hub.status()["backends"]["stomp"]["peers"] < CLIENTS, 20, "room for another one")
        with StompSocket(port) as again:
            again.send("SEND", b"x", destination="/topic/a", receipt="again")
            assert again.wait().headers["receipt-id"] == "again"
