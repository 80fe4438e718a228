"""A real nginx with a self-signed certificate, unprivileged, in a directory of its own."""

from __future__ import annotations

import socket
import ssl
import subprocess
from pathlib import Path

from tests.support import PATIENCE, free_port
from tests.system.server import Server, listens, program

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


class Nginx(Server):
    """``with Nginx(directory, site) as nginx:``.

    :param site: the text of a ``server`` as it is shipped, for :data:`HOST` on port 443; its port and its certificate's
        places are changed to what there is here.
    """

    def __init__(self, directory: Path, site: str) -> None:
        log = directory / "error.log"
        nginx = program("nginx", "nginx-light")
        super().__init__(directory, [nginx, "-p", str(directory), "-e", str(log), "-c", "nginx.conf"], log)
        self.port = free_port()
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

    def answers(self) -> bool:
        return listens(self.port)

    def connect(self) -> ssl.SSLSocket:
        """A connection, whose certificate is checked."""
        return self.tls.wrap_socket(
            socket.create_connection(("127.0.0.1", self.port), 20 * PATIENCE), server_hostname=HOST
        )


def _sign(certificate: Path, key: Path) -> None:
    subject = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    options = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject, *files]
    subprocess.run([program("openssl", "openssl"), "req", *options], check=True, capture_output=True)
