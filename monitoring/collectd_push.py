"""Pushes the hub's numbers to collectd's network plugin, over UDP."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from hub.interfaces import ExporterContext
from hub.monitoring.collectd_protocol import Origin, Seal, Value, datagrams, encrypter, plain, signer
from hub.monitoring.collectd_values import rows
from hub.monitoring.connection import UdpConnection
from hub.settings import SecretRef, Settings, setting

NAME = r"^[A-Za-z0-9_.]{1,63}$"


class CollectdConfig(Settings):
    """Where collectd listens, and under which names the numbers go."""

    host: str = setting("127.0.0.1", "Where collectd's network plugin listens.", min_length=1)
    port: int = setting(25826, "Its UDP port.", ge=1, le=65535)
    security_level: Literal["none", "sign", "encrypt"] = setting(
        "none", "As in collectd's SecurityLevel; 'encrypt' needs hubbub[collectd-encrypt]."
    )
    username: str | None = setting(None, "For sign and encrypt: a name in collectd's AuthFile.", max_length=255)
    password: SecretRef | None = setting(None, "Its password: file:/path or credential:name.")
    plugin: str = setting("hubbub", "collectd's plugin name.", pattern=NAME)
    plugin_instance: str = setting("hub", "collectd's plugin instance; another for each hub.", pattern=NAME)
    hostname: str | None = setting(None, "collectd's host name. Unset: this machine's.", min_length=1, max_length=63)

    @model_validator(mode="after")
    def _credentials(self) -> CollectdConfig:
        if self.security_level != "none" and (self.username is None or self.password is None):
            raise ValueError(f"security_level = {self.security_level!r} needs username and password")
        return self


class CollectdPush:
    """Pushes the numbers to collectd.

    :raises MissingExtra: encryption was asked for, and its library is not installed.
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

    def export(self, snapshot: Mapping[str, Any]) -> None:
        """Send one snapshot. :raises OSError: the name is unknown, or nobody listens; the next call tries anew."""
        config = self._config
        time = snapshot["hub"]["time"]
        origin = Origin(self._hostname, config.plugin, config.plugin_instance, time, self._interval)
        self._connection.send(datagrams(origin, _values(snapshot), self._seal, self._overhead))

    def close(self) -> None:
        """Close the socket."""
        self._connection.close()


def _values(snapshot: Mapping[str, Any]) -> list[Value]:
    return [Value(*row) for row in rows(snapshot)]
