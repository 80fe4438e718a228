"""The server to connect to: the configured one, or the master that the Sentinels name."""

from __future__ import annotations

from hub.backends.broker_address import Address
from hub.backends.redis.line import Dialer, ErrorReply, Line, Lost
from hub.backends.redis.sentinel import Sentinels
from hub.backends.redis.settings import Config


class Servers:
    """Connects to the server. Threads call it.

    :raises ConfigError: a file or secret can't be read. :raises MissingExtra: the library is not installed.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._dialer = Dialer.of_server(config)
        self.sentinels = Sentinels(config, Dialer.of_sentinels(config)) if config.sentinels else None

    def connect(self, wait: float = 0.0) -> Line:
        """Connect to the master. :param wait: seconds by which an answer may be late, as it waits for messages.

        :raises Lost: it can't be reached. :raises ErrorReply: it refuses the hub.
        """
        config = self._config
        address = self._address()
        line = self._dialer.dial(address, config.timeout + wait, database=config.database)
        if self.sentinels is not None:
            try:
                role = line.call("ROLE")[0].decode()
                if role != "master":
                    raise Lost(f"{address} is a {role}, and the Sentinels name it as the master")
            except (Lost, ErrorReply):
                line.close()
                raise
        return line

    def _address(self) -> Address:
        if self.sentinels is not None:
            return self.sentinels.master()
        assert self._config.server is not None
        return self._config.server

    @property
    def name(self) -> str:
        """What a status row is called while no server is known."""
        server = self._config.server
        return str(server) if server is not None else f"master {self._config.master}"
