"""Load balancers and monitoring systems, as they ask when nobody has told them of names."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support import free_port, wait_until
from tests.system.lagging import lagging_hub
from tests.system.server import Server, listens, program
from tests.system.web_client import WebClient

pytestmark = pytest.mark.system

HAPROXY = """
defaults
  mode http
  timeout connect 2s
  timeout client 10s
  timeout server 10s
frontend f
  bind 127.0.0.1:{port}
  default_backend b
backend b
  option httpchk GET /readyz
  server hub 127.0.0.1:{hub} check inter 200ms
frontend s
  bind 127.0.0.1:{stats}
  stats enable
  stats uri /stats
"""


class HAProxy(Server):
    """``with HAProxy(directory, port) as proxy:``. Its check is the stock one: HTTP/1.0, and no Host."""

    def __init__(self, directory: Path, hub: int) -> None:
        super().__init__(directory, [program("haproxy", "haproxy"), "-db", "-f", str(directory / "haproxy.cfg")])
        self.port, self.stats = free_port(), free_port()
        (directory / "haproxy.cfg").write_text(HAPROXY.format(port=self.port, stats=self.stats, hub=hub))

    def answers(self) -> bool:
        return listens(self.port)

    def state(self) -> str:
        """UP or DOWN, with how far its check is."""
        rows = WebClient(self.stats).ask("GET", "/stats;csv").body.decode().splitlines()
        names = rows[0].lstrip("# ").split(",")
        fields = dict(zip(names, next(row for row in rows if row.startswith("b,hub,")).split(","), strict=False))
        return f"{fields['status']} {fields['check_status']} {fields['check_code']}"


def test_a_stock_check_of_haproxy_finds_the_hub_up(tmp_path: Path) -> None:
    port = free_port()
    server = f'[servers.web]\ntype = "web"\nlisten = "127.0.0.1:{port}"\n'
    with lagging_hub(tmp_path, server), HAProxy(tmp_path / "haproxy", port) as proxy:
        wait_until(lambda: proxy.state() == "UP L7OK 200", 20, "HAProxy to find the hub up")
        assert WebClient(port).ask("GET", "/metrics", Host=f"hub.example.org:{port}").code == 200


def test_half_open_connections_shut_out_no_health_check(tmp_path: Path) -> None:
    port = free_port()
    server = f'[servers.web]\ntype = "web"\nlisten = "127.0.0.1:{port}"\n'
    with lagging_hub(tmp_path, server):
        half = [socket.create_connection(("127.0.0.1", port)) for _ in range(250)]
        for path in ("/healthz", "/readyz", "/metrics"):
            assert WebClient(port).ask("GET", path).code == 200
        for one in half:
            one.close()
