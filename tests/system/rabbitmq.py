"""A real RabbitMQ, which speaks AMQP and STOMP: a node, a port mapper and files of its own, on loopback."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Self

from tests.certificates import Authority
from tests.support import PATIENCE, free_port, require, wait_until
from tests.system.network import Network
from tests.system.server import Server, listens, program

PROGRAMS = Path("/usr/lib/rabbitmq/bin")
CONFIGURATION = """
log.file.level = warning
stomp.listeners.tcp.1 = {address}:{port}
"""
TLS = """
stomp.listeners.ssl.1 = 127.0.0.1:{tls_port}
listeners.ssl.1 = 127.0.0.1:{amqps_port}
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = EXTERNAL
ssl_cert_login_from = common_name
ssl_options.cacertfile = {authority}
ssl_options.certfile = {certificate}
ssl_options.keyfile = {key}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
"""


class RabbitMQ(Server):
    """It speaks STOMP on ``port``, AMQP on ``amqp_port``. Its user is ``guest``, with the passcode ``guest``; its
    virtual host is ``/``.

    :param authority: it also speaks both by TLS, on ``tls_port`` and ``amqps_port``, to clients with a certificate of
        this authority, whose common name may be the login. :param further: lines of its configuration.
    :param network: the one that it runs in, on whose address it listens, without TLS. :param advanced: Erlang terms of
        its advanced configuration.
    """

    def __init__(
        self,
        directory: Path,
        authority: Authority | None = None,
        further: str = "",
        network: Network | None = None,
        advanced: str = "",
    ) -> None:
        require((PROGRAMS / "rabbitmq-server").exists(), "RabbitMQ is not installed (Debian's rabbitmq-server)")
        self.port, self.tls_port, self._mapper_port = free_port(), free_port(), free_port()
        self.amqp_port, self.amqps_port = free_port(), free_port()
        self._network = network
        self.address = "127.0.0.1" if network is None else network.address
        self._configuration = directory / "rabbitmq.conf"
        super().__init__(
            directory,
            self._there(str(PROGRAMS / "rabbitmq-server")),
            directory / "log" / "log",
            environment=self._environment(directory),
        )
        text = CONFIGURATION.format(address=self.address, port=self.port)
        text += "" if network is None else "loopback_users = none\n"
        self._configuration.write_text(text + self._tls(authority) + further)
        if advanced:
            (directory / "advanced.config").write_text(f"[{{rabbit, [{advanced}]}}].\n")
        (directory / "plugins").write_text("[rabbitmq_stomp, rabbitmq_auth_mechanism_ssl].\n")
        self._mapper: subprocess.Popen[bytes] | None = None

    def _environment(self, directory: Path) -> dict[str, str]:
        return {
            "HOME": str(directory),
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RUNNING_UNDER_SYSTEMD": "1",  # or else a shell stays between the node and us
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(self._configuration),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(directory / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(directory / "plugins"),
            "RABBITMQ_NODENAME": "hubbub-test@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": self.address,
            "RABBITMQ_NODE_PORT": str(self.amqp_port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(directory / "log"),
            "RABBITMQ_LOGS": str(directory / "log" / "log"),
            "RABBITMQ_PID_FILE": str(directory / "pid"),
            # Two schedulers: by default each spins for a while when idle, and the tests share the machine.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none",
        }

    def _tls(self, authority: Authority | None) -> str:
        if authority is None:
            return ""
        made = authority.sign("broker", "localhost", "127.0.0.1")
        return TLS.format(
            tls_port=self.tls_port,
            amqps_port=self.amqps_port,
            authority=authority.file,
            certificate=made.file,
            key=made.key,
        )

    def _there(self, *command: str) -> list[str]:
        return [*command] if self._network is None else self._network.command(command)

    @property
    def url(self) -> str:
        """Its AMQP address."""
        return f"amqp://{self.address}:{self.amqp_port}"

    def answers(self) -> bool:
        return listens(self.port, self.address) and listens(self.amqp_port, self.address)

    def __enter__(self) -> Self:
        # A node that finds no port mapper starts one that outlives it.
        mapper = program("epmd", "erlang-base")
        command = self._there(mapper, "-port", str(self._mapper_port), "-address", "127.0.0.1")
        with self._output.open("ab") as output:
            self._mapper = subprocess.Popen(command, env=self.environment, stdout=output, stderr=output)
        names = [*command[:-2], "-names"]
        wait_until(lambda: subprocess.run(names, capture_output=True).returncode == 0, 10, "epmd to listen")
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._end_mapper()

    def kill(self) -> None:
        super().kill()
        self._end_mapper()

    def _end_mapper(self) -> None:
        assert self._mapper is not None
        self._mapper.terminate()
        self._mapper.wait(10 * PATIENCE)

    def has_on_disk(self, queue: str) -> bool:
        """True if the broker has written down that there is this quorum queue. One that is killed within the
        second before has no such queue afterwards, or an empty one, whatever it confirmed."""
        files = (self.directory / "mnesia").rglob("names.dets")
        return any(f"%2F_{queue}".encode() in file.read_bytes() for file in files)

    def control(self, *arguments: str) -> str:
        """What ``rabbitmqctl`` prints."""
        command = self._there(str(PROGRAMS / "rabbitmqctl"), "-n", "hubbub-test@localhost", "-q", *arguments)
        done = subprocess.run(command, env={**os.environ, **self.environment}, capture_output=True, text=True)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"
        return done.stdout
