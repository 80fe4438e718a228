"""Pushes the hub's numbers to collectd's network plugin, over UDP."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal

from hub.extra import Extra
from hub.interfaces import ExporterContext
from hub.monitoring.collectd_protocol import EXTRA, Origin, Seal, Value, datagrams, encrypter, plain, signer
from hub.monitoring.collectd_values import rows
from hub.monitoring.connection import UdpConnection
from hub.settings import SecretRef, Settings, setting
from hub.status.catalogue import described

CATALOGUE = described()
NAME = r"^[A-Za-z0-9_.]{1,63}$"


class CollectdConfig(Settings):
    """Settings of collectd's address, security and names."""

    host: str = setting("127.0.0.1", "Address of collectd's network plugin.", min_length=1)
    port: int = setting(25826, "UDP port of the plugin.", ge=1, le=65535)
    security_level: Literal["none", "sign", "encrypt"] = setting(
        "none", "As in collectd's SecurityLevel; 'encrypt' needs hubbub[collectd-encrypt]."
    )
    username: str | None = setting(None, "User name in collectd's AuthFile, for sign and encrypt.", max_length=255)
    password: SecretRef | None = setting(None, "Password: file:/path or credential:name.")
    plugin: str = setting("hubbub", "collectd's plugin name.", pattern=NAME)
    plugin_instance: str = setting("hub", "collectd's plugin instance; it must differ between hubs.", pattern=NAME)
    hostname: str | None = setting(None, "collectd's host name. Unset: this machine's.", min_length=1, max_length=63)

    def contradictions(self) -> Iterator[str]:
        """Yield the security levels that lack their credentials."""
        if self.security_level != "none" and (self.username is None or self.password is None):
            yield f"security_level = {self.security_level!r} needs username and password"


class CollectdPush:
    """Push the numbers to collectd.

    :raises MissingExtra: encryption is configured, and its library is not installed.
    :raises ConfigError: the password can't be read.
    """

    Config: ClassVar[type[Settings]] = CollectdConfig

    def __init__(self, context: ExporterContext) -> None:
        self._config = config = context.config
        self._interval = context.interval
        self._hostname = config.hostname or socket.gethostname()
        self._seal: Seal = plain
        self._overhead = 0
        if config.security_level != "none":
            make = signer if config.security_level == "sign" else encrypter
            self._seal, self._overhead = make(config.username, config.password.read())
        self._connection = UdpConnection(config.host, config.port)

    @classmethod
    def needed_extras(cls, config: CollectdConfig) -> Iterable[Extra]:
        """Return that of encryption; see :class:`hub.interfaces.NeedingExtras`."""
        return [EXTRA] if config.security_level == "encrypt" else []

    def export(self, snapshot: Mapping[str, Any]) -> None:
        """Send a snapshot. :raises OSError: the name is unknown, or nobody listens; the next call tries again."""
        config = self._config
        time = snapshot["hub"]["time"]
        origin = Origin(self._hostname, config.plugin, config.plugin_instance, time, self._interval)
        self._connection.send(datagrams(origin, _values(snapshot), self._seal, self._overhead))

    def close(self) -> None:
        """Close the socket."""
        self._connection.close()


def _values(snapshot: Mapping[str, Any]) -> list[Value]:
    return [Value(*row) for row in rows(snapshot, CATALOGUE)]
