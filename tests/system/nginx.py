"""A real nginx with a self-signed certificate, unprivileged, in a directory of its own."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from types import TracebackType

from tests.support import free_port, require, wait_until

HOST = "hub.example.org"
CONFIGURATION = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    {site}
}}
"""


class Nginx:
    """``with Nginx(directory, site) as nginx:``.

    :param site: the text of a ``server`` as it is shipped, for :data:`HOST` on port 443; its port and its certificate's
        places are changed to what there is here.
    """

    def __init__(self, directory: Path, site: str) -> None:
        self._program = shutil.which("nginx") or "/usr/sbin/nginx"
        require(Path(self._program).exists(), "nginx is not installed")
        require(shutil.which("openssl") is not None, "openssl is not installed")
        directory.mkdir()
        self.port = free_port()
        self.directory = directory
        certificate, key = directory / "certificate.pem", directory / "key.pem"
        _sign(certificate, key)
        for shipped, here in (
            ("listen 443 ", f"listen 127.0.0.1:{self.port} "),
            (f"/etc/ssl/certs/{HOST}.pem", str(certificate)),
            (f"/etc/ssl/private/{HOST}.key", str(key)),
        ):
            assert shipped in site
            site = site.replace(shipped, here)
        (directory / "nginx.conf").write_text(CONFIGURATION.format(directory=directory, site=site))
        self.tls = ssl.create_default_context(cafile=str(certificate))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Nginx:
        log = self.directory / "error.log"
        command = [self._program, "-p", str(self.directory), "-e", str(log), "-c", "nginx.conf"]
        self._process = subprocess.Popen(command)
        wait_until(self._answers, 20, f"nginx; its log: {log.read_text() if log.exists() else ''}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(20)

    def connect(self) -> ssl.SSLSocket:
        """A connection, whose certificate is checked."""
        return self.tls.wrap_socket(socket.create_connection(("127.0.0.1", self.port), 20), server_hostname=HOST)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _sign(certificate: Path, key: Path) -> None:
    subject = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files]
    subprocess.run(command, check=True, capture_output=True)
