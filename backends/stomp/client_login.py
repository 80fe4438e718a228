"""Login of a connection to a broker: the headers of CONNECT. Pure, but for the passcode's file."""

from __future__ import annotations

from dataclasses import dataclass

from hub.backends.stomp.client_settings import Config

VERSIONS = "1.1,1.2"
"""Versions of STOMP that the hub speaks with brokers. 1.0 has no heart-beats, and acknowledges by no clear rule."""


@dataclass(frozen=True)
class Login:
    """Login of a connection. :ivar client_id: for durable subscriptions of ActiveMQ; empty: none."""

    login: str | None = None
    passcode: str | None = None
    virtual_host: str = "/"
    client_id: str = ""

    @classmethod
    def of(cls, config: Config, client_id: str = "") -> Login:
        """The configured login. :raises ConfigError: the passcode can't be read."""
        passcode = None if config.passcode is None else config.passcode.read()
        return cls(config.login, passcode, config.virtual_host, client_id)

    def headers(self, heart_beat: str) -> dict[str, str]:
        """Headers of CONNECT."""
        named = {"login": self.login, "passcode": self.passcode, "client-id": self.client_id}
        fixed = {"accept-version": VERSIONS, "host": self.virtual_host, "heart-beat": heart_beat}
        return fixed | {name: value for name, value in named.items() if value}
