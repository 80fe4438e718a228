"""TLS of a connection to a broker: its certificate and its name are verified. Needs Twisted's extra ``tls``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from twisted.internet.error import VerifyError
from twisted.internet.protocol import Factory

from hub.backends.broker_settings import BrokerSettings
from hub.backends.expired_certificates import dated, listen
from hub.backends.pem import certificates
from hub.errors import ConfigError
from hub.extra import Extra


def tls_extra(name: str) -> Extra:
    """The libraries of TLS, which an extra of this name brings; without the last one Twisted verifies no names with
    wildcards."""
    return Extra("TLS to a broker", name, ("OpenSSL.crypto", "twisted.internet.ssl", "service_identity"))


class ClientTLS:
    """TLS settings, read from their files. :raises ConfigError: a file can't be read or used.

    :raises MissingExtra: the libraries are not installed.
    """

    def __init__(self, config: BrokerSettings, extra: Extra) -> None:
        extra.check()
        from OpenSSL.crypto import FILETYPE_PEM, Error
        from twisted.internet import ssl
        from twisted.protocols.tls import TLSMemoryBIOFactory

        self._ssl: Any = ssl
        self._wrapper: Any = TLSMemoryBIOFactory
        self._pem = FILETYPE_PEM
        self._error = Error
        self._name = config.tls_server_name
        self._authorities = self._trusted(config)
        self._intermediate: list[Any] = []
        self._dates: list[str] = []
        self._certificate = self._own(config)

    def wrap(self, factory: Factory, host: str, clock: Any) -> Any:
        """Make a factory of connections by TLS. :param host: of the address. :param clock: Twisted's reactor."""
        options = self._options(self._name or host)
        listen(options, self._dates.append)
        return self._wrapper(options, True, factory, clock)

    def explained(self, reason: str) -> str:
        """The reason why a connection failed, with the date of a certificate that has expired."""
        own = None if self._certificate is None else dated(self._certificate.original, datetime.now(UTC))
        texts, self._dates[:] = list(self._dates), []
        texts += [] if own is None else [f"the hub's own certificate {own}"]
        return "; ".join(dict.fromkeys([reason, *texts]))

    def _options(self, name: str) -> Any:
        if self._certificate is None:
            return self._ssl.optionsForClientTLS(name, self._authorities)
        chain = {"extraCertChain": [one.original for one in self._intermediate]}
        return self._ssl.optionsForClientTLS(
            name, self._authorities, self._certificate, extraCertificateOptions=chain if self._intermediate else {}
        )

    def _trusted(self, config: BrokerSettings) -> Any:
        if config.tls_ca_file is None:
            return self._ssl.platformTrust()
        try:
            text = config.tls_ca_file.read_bytes()
            return self._ssl.trustRootFromCertificates(certificates(text))
        except (OSError, ValueError) as error:
            raise ConfigError([f"tls_ca_file: {config.tls_ca_file} can't be used: {error}"]) from error

    def _own(self, config: BrokerSettings) -> Any:
        if config.tls_certificate_file is None or config.tls_key is None:
            return None
        key = config.tls_key.read().encode()
        try:
            first, *self._intermediate = certificates(config.tls_certificate_file.read_bytes())
            return self._ssl.PrivateCertificate.fromCertificateAndKeyPair(first, self._ssl.KeyPair.load(key, self._pem))
        except OSError as error:
            raise ConfigError([f"tls_certificate_file: it can't be read: {error}"]) from error
        except (ValueError, self._error, VerifyError) as error:
            raise ConfigError([f"tls_certificate_file and tls_key can't be used: {error or 'no PEM'}"]) from error
