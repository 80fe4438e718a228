"""The web page behind a real nginx with TLS, as 'hubbub init --nginx' writes it."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import subprocess
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support import PATIENCE, ROOT, free_port, require
from tests.system.lagging import BEHIND, lagging_hub
from tests.system.nginx import HOST, Nginx

pytestmark = pytest.mark.system


class Browser(http.client.HTTPConnection):
    """Through the proxy, by the name that it is known by."""

    def __init__(self, nginx: Nginx) -> None:
        super().__init__(HOST, nginx.port, timeout=20 * PATIENCE)
        self._nginx = nginx

    def connect(self) -> None:
        self.sock = self._nginx.connect()


def pause(nginx: Nginx, token: str, origin: str) -> tuple[int, Any]:
    browser = Browser(nginx)
    headers = {"Authorization": f"Bearer {token}", "Origin": origin, "X-Forwarded-For": "198.51.100.9"}
    browser.request("POST", "/api/pause", json.dumps({"consumer": "fast"}), headers)
    response = browser.getresponse()
    answer = json.loads(response.read())
    browser.close()
    return response.status, answer


def test_behind_tls_the_page_is_live_and_may_act_and_others_may_not(tmp_path: Path) -> None:
    port = free_port()
    server = f'[servers.web]\ntype = "web"\nlisten = "127.0.0.1:{port}"\npublic_hosts = ["{HOST}"]\n'
    site = (ROOT / "hub/templates/nginx/hubbub.conf").read_text().replace("127.0.0.1:9941;", f"127.0.0.1:{port};")
    with lagging_hub(tmp_path, server), Nginx(tmp_path / "nginx", site) as nginx:
        token = (tmp_path / "state" / "web.token").read_text().strip()
        origin = f"https://{HOST}:{nginx.port}"
        code, answer = pause(nginx, token, origin)
        assert (code, answer["queue"], answer["paused"]) == (200, "fast", True)
        assert pause(nginx, token, "https://evil.example")[0] == 403
        assert pause(nginx, "wrong", origin)[0] == 401
        assert "token from 127.0.0.1 for 127.0.0.1" in (tmp_path / "state" / "audit.log").read_text()
        events(nginx)
        page_by_http_2(nginx)


def test_with_a_password_of_nginxs_the_token_goes_in_a_header_of_its_own(tmp_path: Path) -> None:
    port = free_port()
    server = f'[servers.web]\ntype = "web"\nlisten = "127.0.0.1:{port}"\npublic_hosts = ["{HOST}"]\n'
    site = (ROOT / "hub/templates/nginx/hubbub.conf").read_text().replace("127.0.0.1:9941;", f"127.0.0.1:{port};")
    assert site.count("#auth_basic") == 2
    assert site.count("#proxy_set_header") == 1
    site = site.replace("#auth_basic", "auth_basic").replace("#proxy_set_header", "proxy_set_header")
    users = tmp_path / "users"
    users.write_text("ann:{PLAIN}pass\n")
    site = site.replace("/etc/nginx/hubbub.htpasswd", str(users))
    with lagging_hub(tmp_path, server), Nginx(tmp_path / "nginx", site) as nginx:
        token = (tmp_path / "state" / "web.token").read_text().strip()
        password = {"Authorization": f"Basic {base64.b64encode(b'ann:pass').decode()}"}
        order = json.dumps({"consumer": "fast"})
        codes = []
        for headers in ({}, {"X-Hubbub-Token": token}, password, {**password, "X-Hubbub-Token": token}):
            browser = Browser(nginx)
            browser.request("POST", "/api/pause", order, headers)
            codes.append(browser.getresponse().status)
            browser.close()
        assert codes == [401, 401, 401, 200]


def events(nginx: Nginx) -> None:
    """Each comes when it is sent: nothing is held back until there is more."""
    browser = Browser(nginx)
    browser.request("GET", "/events")
    response = browser.getresponse()
    assert response.getheader("Strict-Transport-Security")
    arrivals: list[float] = []
    while not any(0.5 < after - before < 1.5 for before, after in pairwise(arrivals)):
        assert len(arrivals) < 30, arrivals
        line = response.readline()
        if line.startswith(b"data: "):
            backlog = json.loads(line[6:])["consumers"]["SlowConsumer"]["backlog"]
            arrivals.append(time.monotonic())
    assert backlog == BEHIND
    browser.close()


def page_by_http_2(nginx: Nginx) -> None:
    program = shutil.which("curl")
    require(program is not None, "curl is not installed")
    assert program is not None
    place = ["--resolve", f"{HOST}:{nginx.port}:127.0.0.1", "--cacert", str(nginx.directory / "certificate.pem")]
    command = [
        program,
        "-sS",
        "--http2",
        "-w",
        "\n%{http_version} %{http_code}",
        *place,
        f"https://{HOST}:{nginx.port}/",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "<!doctype html>" in done.stdout
    assert done.stdout.endswith("\n2 200")
