"""Settings that all backends with a list of brokers have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import ConfigDict

from hub.backends.broker_address import Address, Scheme
from hub.settings import Duration, FilePath, SecretRef, Settings, setting


class BrokerSettings(Settings):
    """Settings of brokers, login and TLS. :cvar scheme: of the addresses."""

    # Secret is a plain class, which pydantic checks by isinstance only with this option.
    model_config = ConfigDict(arbitrary_types_allowed=True)
    scheme: ClassVar[Scheme]

    connect: list[str] = setting(..., "Addresses of brokers.", min_length=1)
    login: str | None = setting(None, "Name of the hub's user at the broker.", min_length=1)
    passcode: SecretRef | None = setting(None, "That user's password, as 'file:/path' or 'credential:name'.")
    connect_timeout: Duration = setting(
        "10s", "Time to connect, log in and subscribe; then the next broker is tried.", ge=0.1
    )
    reconnect_interval_max: Duration = setting(
        "30s", "After a round of all brokers the hub waits, for a random time that grows up to this.", ge=0.1
    )
    tls_ca_file: FilePath | None = setting(
        None, "TLS: certificates of the authorities that the hub trusts, in PEM. Unset: those of the system."
    )
    tls_server_name: str | None = setting(
        None,
        "TLS: name that the broker's certificate must have, and that is sent (SNI). Unset: the host in 'connect'.",
        min_length=1,
    )
    tls_certificate_file: FilePath | None = setting(
        None, "TLS: the hub's own certificate, in PEM, with any intermediate ones after it."
    )
    tls_key: SecretRef | None = setting(
        None, "TLS: the key of that certificate, in PEM without a passphrase, as 'file:/path' or 'credential:name'."
    )

    @property
    def addresses(self) -> list[Address]:
        """The brokers, in the order in which they are tried."""
        return [self.scheme.parse(text) for text in self.connect]

    @property
    def tls(self) -> bool:
        """True if the connection to a broker is encrypted."""
        return any(address.tls for address in self.addresses)

    def contradictions(self) -> Iterator[str]:
        """Yield each combination of settings that can't be."""
        for text in sorted({text for text in self.connect if self.connect.count(text) > 1}):
            yield f"connect: {text} is given twice"
        if self.passcode is not None and self.login is None:
            yield "passcode needs login"
        if (self.tls_certificate_file is None) != (self.tls_key is None):
            yield "tls_certificate_file and tls_key go together"
        for name in ("tls_ca_file", "tls_server_name", "tls_certificate_file"):
            if getattr(self, name) is not None and not self.tls:
                yield f"{name} is for TLS, and no address in connect begins with '{self.scheme.encrypted}:'"
