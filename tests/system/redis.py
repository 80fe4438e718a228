"""A real Redis: servers, replicas and Sentinels of their own, on loopback and free ports."""

from __future__ import annotations

import datetime
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import redis

from tests.certificates import Authority
from tests.support import free_port, wait_until
from tests.system.network import Network
from tests.system.server import Server, listens, program

PACKAGE, SENTINEL_PACKAGE = "redis-server", "redis-sentinel"
CONFIGURATION = """
bind {address}
protected-mode no
port {port}
dir {directory}
save ""
appendonly yes
appendfsync always
daemonize no
repl-diskless-sync-delay 0
"""
TLS = """
tls-port {tls_port}
tls-ca-cert-file {authority}
tls-cert-file {certificate}
tls-key-file {key}
tls-auth-clients yes
"""
SENTINEL = """
bind {address}
protected-mode no
port {port}
dir {directory}
daemonize no
sentinel monitor mymaster {master} {quorum}
sentinel down-after-milliseconds mymaster 1000
sentinel failover-timeout mymaster 4000
sentinel parallel-syncs mymaster 2
"""


@contextmanager
def serving(directory: Path, options: str) -> Iterator[RedisServer]:
    """A server that tests kill, and start anew, while the block lasts."""
    server = RedisServer(directory, options=options)
    server.__enter__()
    try:
        yield server
    finally:
        if server.is_running:
            server.kill()


class RedisServer(Server):
    """A server that loses nothing it has confirmed.

    :param replica_of: its master. :param authority: it also speaks TLS, on ``tls_port``, to clients with a certificate
        of this authority. :param options: further lines of its configuration. :param network: the one that it runs in.
        :param address: on which it listens; that of its network, if it is in one. :param ends: when its
        certificate expires; tomorrow by default.
    """

    def __init__(
        self,
        directory: Path,
        replica_of: RedisServer | None = None,
        authority: Authority | None = None,
        options: str = "",
        network: Network | None = None,
        address: str = "127.0.0.1",
        ends: datetime.datetime | None = None,
    ) -> None:
        command = [program("redis-server", PACKAGE), str(directory / "redis.conf")]
        super().__init__(directory, command if network is None else network.command(command))
        self.address = address if network is None else network.address
        self.port, self.tls_port = free_port(), free_port()
        text = CONFIGURATION.format(address=self.address, port=self.port, directory=directory) + options
        if authority is not None:
            made = authority.sign("redis", "localhost", "127.0.0.1", ends=ends)
            text += TLS.format(tls_port=self.tls_port, authority=authority.file, certificate=made.file, key=made.key)
        if replica_of is not None:
            text += f"\nreplicaof {replica_of.address} {replica_of.port}\n"
        (directory / "redis.conf").write_text(text)

    @property
    def url(self) -> str:
        return f"redis://{self.address}:{self.port}"

    @property
    def client(self) -> Any:
        """A plain client, as an operator's."""
        return redis.Redis(self.address, self.port, protocol=2, socket_timeout=20)

    def answers(self) -> bool:
        if not listens(self.port, self.address):
            return False
        try:
            return bool(self.client.ping())
        except redis.exceptions.AuthenticationError:
            return True
        except redis.exceptions.RedisError:
            return False

    def stop_it(self) -> None:
        """SIGSTOP: it is there, and answers nobody."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        pid = self._process.pid
        wait_until(lambda: "\nState:\tT" in Path(f"/proc/{pid}/status").read_text(), 10, "the server to stand")

    def go_on(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(20)


def raw(server: RedisServer) -> Any:
    """Executes a command, and returns the answer as it came."""
    client = server.client
    client.response_callbacks.clear()
    return client.execute_command


class Sentinel(Server):
    """A Sentinel that watches one master, ``mymaster``."""

    def __init__(self, directory: Path, master: RedisServer, address: str = "127.0.0.1", quorum: int = 2) -> None:
        command = [program("redis-sentinel", SENTINEL_PACKAGE), str(directory / "sentinel.conf")]
        super().__init__(directory, command)
        self.address, self.port = address, free_port()
        place = f"{master.address} {master.port}"
        text = SENTINEL.format(address=address, port=self.port, directory=directory, master=place, quorum=quorum)
        (directory / "sentinel.conf").write_text(text)
        os.chmod(directory / "sentinel.conf", 0o600)

    @property
    def url(self) -> str:
        return f"redis://{self.address}:{self.port}"

    @property
    def client(self) -> Any:
        return redis.Redis(self.address, self.port, protocol=2, socket_timeout=20)

    def answers(self) -> bool:
        return listens(self.port, self.address)


class Failing:
    """A master, two replicas and three Sentinels: ``with Failing(directory) as site:``.

    :param network: in which the first master is; all others are outside. :param options: of all servers.
    """

    def __init__(self, directory: Path, network: Network | None = None, options: str = "") -> None:
        directory.mkdir(exist_ok=True)
        self._stack = ExitStack()
        outside = "127.0.0.1" if network is None else network.outside
        first = RedisServer(directory / "server-0", options=options, network=network)
        given: dict[str, Any] = {"replica_of": first, "options": options, "address": outside}
        self.servers = [first, *(RedisServer(directory / f"server-{n}", **given) for n in (1, 2))]
        self.sentinels = [Sentinel(directory / f"sentinel-{n}", first, outside) for n in range(3)]

    def __enter__(self) -> Self:
        for server in self.servers:
            self._stack.callback(self._end, server)
            server.__enter__()
        wait_until(lambda: self._linked() == 2, 30, "the replicas")
        for sentinel in self.sentinels:
            self._stack.callback(self._end, sentinel)
            sentinel.__enter__()
        wait_until(self._all_known, 30, "the Sentinels to know all")
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _end(self, server: Server) -> None:
        if server.is_running:
            if isinstance(server, RedisServer):
                server.go_on()
            server.kill()

    def _linked(self) -> int:
        return int(self.servers[0].client.info("replication")["connected_slaves"])

    def _all_known(self) -> bool:
        states = [one.client.sentinel_master("mymaster") for one in self.sentinels]
        return all(one["num-other-sentinels"] == 2 and one["num-slaves"] == 2 for one in states)

    @property
    def urls(self) -> list[str]:
        return [one.url for one in self.sentinels]

    @property
    def master_port(self) -> int:
        """As the last Sentinel has it."""
        return int(self.sentinels[-1].client.sentinel_get_master_addr_by_name("mymaster")[1])

    @property
    def master(self) -> RedisServer:
        port = self.master_port
        return next(server for server in self.servers if server.port == port)
