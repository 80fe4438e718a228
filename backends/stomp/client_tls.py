"""TLS of a connection to a broker: its certificate and its name are verified. Needs the extra ``stomp``."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import VerifyError
from twisted.internet.protocol import Factory

from hub.backends.stomp.client_settings import Config
from hub.backends.stomp.pem import certificates
from hub.errors import ConfigError
from hub.extra import Extra

EXTRA = Extra("TLS to a broker", "stomp", ("OpenSSL.crypto", "twisted.internet.ssl", "service_identity"))
"""The libraries of TLS; without the last one Twisted verifies no names with wildcards."""


class ClientTLS:
    """TLS settings, read from their files. :raises ConfigError: a file can't be read or used.

    :raises MissingExtra: the libraries are not installed.
    """

    def __init__(self, config: Config) -> None:
        EXTRA.check()
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
        self._certificate = self._own(config)

    def wrap(self, factory: Factory, host: str, clock: Any) -> Any:
        """Make a factory of connections by TLS. :param host: of the address. :param clock: Twisted's reactor."""
        return self._wrapper(self._options(self._name or host), True, factory, clock)

    def _options(self, name: str) -> Any:
        if self._certificate is None:
            return self._ssl.optionsForClientTLS(name, self._authorities)
        chain = {"extraCertChain": [one.original for one in self._intermediate]}
        return self._ssl.optionsForClientTLS(
            name, self._authorities, self._certificate, extraCertificateOptions=chain if self._intermediate else {}
        )

    def _trusted(self, config: Config) -> Any:
        if config.tls_ca_file is None:
            return self._ssl.platformTrust()
        try:
            text = config.tls_ca_file.read_bytes()
            return self._ssl.trustRootFromCertificates(certificates(text))
        except (OSError, ValueError) as error:
            raise ConfigError([f"tls_ca_file: {config.tls_ca_file} can't be used: {error}"]) from error

    def _own(self, config: Config) -> Any:
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
