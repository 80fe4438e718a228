"""Login of a connection to a broker. Needs the extra ``amqp``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hub.backends.amqp.settings import Config


@dataclass(frozen=True)
class Login:
    """Login of a connection. :ivar title: its name in the broker's list of connections."""

    config: Config
    title: str
    passcode: str | None = None

    @property
    def silence(self) -> float:
        """Seconds without a byte from the broker after which pika ends a connection. It looks as often as that, so a
        broker that is cut off is noticed within twice the time."""
        return round(self.config.heart_beat) + 5.0

    @classmethod
    def of(cls, config: Config, title: str) -> Login:
        """The configured login. :raises ConfigError: the passcode can't be read."""
        return cls(config, title, None if config.passcode is None else config.passcode.read())

    def parameters(self) -> Any:
        """Parameters of pika's connection. Without a login it is RabbitMQ's ``guest``, or the certificate's."""
        from pika import ConnectionParameters
        from pika.credentials import ExternalCredentials, PlainCredentials

        config = self.config
        plain = PlainCredentials(config.login or "guest", self.passcode or "guest")
        return ConnectionParameters(
            virtual_host=config.virtual_host,
            credentials=ExternalCredentials() if config.external else plain,
            heartbeat=round(config.heart_beat),
            client_properties={"connection_name": self.title, "product": "hubbub"},
        )
