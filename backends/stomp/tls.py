"""TLS of the STOMP server, on files that may be renewed while it runs. Needs the extra ``stomp``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.backends.pem import certificates
from hub.errors import ConfigError
from hub.extra import Extra
from hub.watched_files import WatchedFiles

EXTRA = Extra("TLS of the STOMP server", "stomp", ("OpenSSL", "OpenSSL.crypto", "twisted.internet.ssl"))
"""The libraries of TLS."""


class ServerTLS:
    """Certificate of the server, and the authorities whose certificates clients may have.

    The files are read again when they change, for new connections. While they can't be used, the last good ones serve.

    :param certificate: PEM: the certificate, and those up to an authority that clients know. :param key: PEM.
    :param authorities: PEM; clients with a certificate of one of them are named by it; ``None``: none is asked for.
    :param required: whether a client without one is refused.
    :raises ConfigError: a file can't be read or used. :raises MissingExtra: the libraries are not installed.
    """

    def __init__(self, certificate: Path, key: Path, authorities: Path | None = None, required: bool = False) -> None:
        EXTRA.check()
        from OpenSSL import crypto
        from twisted.internet import ssl

        self._ssl, self._crypto = ssl, crypto
        self._certificate, self._key, self._authorities = certificate, key, authorities
        self._required = required
        paths = [path for path in (certificate, key, authorities) if path is not None]
        self._files = WatchedFiles(paths, self._load, keeps=True)
        self._files.load()

    def context(self) -> Any:
        """Return the context of a new connection, for ``startTLS``."""
        return self._files.content()

    @property
    def problem(self) -> str:
        """Why changed files can't be used; empty: they can."""
        return self._files.problem

    def common_name(self, transport: Any) -> str | None:
        """Return the common name of a client's certificate; ``None``: it has none. It is verified by the handshake."""
        from cryptography.x509.oid import NameOID

        certificate = transport.getPeerCertificate() if self._authorities is not None else None
        if certificate is None:
            return None
        names = certificate.to_cryptography().subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else None

    def _load(self) -> Any:
        ssl, crypto = self._ssl, self._crypto
        first, *chain = self._certificates(self._certificate, "tls_certificate_file")
        try:
            own = ssl.KeyPair.load(self._read(self._key, "tls_key_file"), crypto.FILETYPE_PEM)
        except crypto.Error as error:
            raise ConfigError([f"tls_key_file: {self._key} is no PEM key"]) from error
        options: dict[str, Any] = {}
        if self._authorities is not None:
            authorities = self._certificates(self._authorities, "tls_client_ca_file")
            options = {"verify": True, "caCerts": [authority.original for authority in authorities]}
            options["requireCertificate"] = self._required
        context = ssl.CertificateOptions(
            privateKey=own.original,
            certificate=first.original,
            extraCertChain=[certificate.original for certificate in chain],
            **options,
        )
        try:
            context.getContext()
        except (ssl.SSL.Error, ValueError) as error:
            raise ConfigError([f"tls_key_file: {self._key} is not the key of {self._certificate}"]) from error
        return context

    def _certificates(self, path: Path, setting: str) -> list[Any]:
        try:
            return certificates(self._read(path, setting))
        except ValueError as error:
            raise ConfigError([f"{setting}: {path} can't be used: {error}"]) from error

    def _read(self, path: Path, setting: str) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise ConfigError([f"{setting}: {path} can't be read: {error.strerror}"]) from error
