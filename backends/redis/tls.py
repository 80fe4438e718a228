"""TLS of a connection to a server: its certificate and its name are verified. Needs the extra ``redis``."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub.backends.blocking import tls_context
from hub.backends.expired_certificates import EXPIRED, NOT_YET, wrong_dates
from hub.backends.redis.settings import Config
from hub.extra import Extra

TLS_EXTRA = Extra("TLS to Redis", "redis", ("cryptography.x509",))
"""The library that reads the dates of certificates."""


class RedisTLS:
    """TLS settings, read from their files.

    :raises ConfigError: a file can't be read or used. :raises MissingExtra: the library is not installed.
    """

    def __init__(self, config: Config) -> None:
        TLS_EXTRA.check()
        self._config = config
        self._context = tls_context(config)

    def wrap(self, host: str, connect: Callable[[], socket.socket]) -> ssl.SSLSocket:
        """Connect by TLS. :param host: of the address. :param connect: makes the connection below it.

        :raises OSError: it can't; a certificate that has expired is named with its date.
        """
        name = self._config.tls_server_name or host
        try:
            return self._context.wrap_socket(connect(), server_hostname=name)
        except ssl.SSLCertVerificationError as error:
            if error.verify_code in (NOT_YET, EXPIRED) and (dates := self._wrong_dates(name, connect)):
                error.verify_message = f"{error.verify_message}; {dates}"
            raise

    def explained(self, reason: str) -> str:
        """The reason why a connection failed, with the date of the hub's own certificate, if it has expired."""
        own = _first_wrong(self._config.tls_certificate_file)
        return f"{reason}; the hub's own certificate {own}" if own else reason

    def _wrong_dates(self, name: str, connect: Callable[[], socket.socket]) -> str:
        """Look at the server's certificate, over a connection that trusts it so far; nothing else is done with it.

        Python shows no certificate that it has not verified.
        """
        from cryptography.x509 import load_der_x509_certificate

        looking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        looking.check_hostname, looking.verify_mode = False, ssl.CERT_NONE
        with contextlib.suppress(OSError, ValueError), looking.wrap_socket(connect(), server_hostname=name) as line:
            text = wrong_dates(load_der_x509_certificate(line.getpeercert(True) or b""), datetime.now(UTC))
            if text is not None:
                return f"the server's certificate {text}"
        authority = _first_wrong(self._config.tls_ca_file)
        return f"the authority's certificate {authority}" if authority else ""


def _first_wrong(file: Path | None) -> str | None:
    """The first fault of the dates of certificates in a file; ``None``: there is none, or it can't be read now."""
    from cryptography.x509 import load_pem_x509_certificates

    found: list[Any] = []
    if file is not None:
        with contextlib.suppress(OSError, ValueError):
            found = load_pem_x509_certificates(file.read_bytes())
    now = datetime.now(UTC)
    return next((text for one in found if (text := wrong_dates(one, now))), None)
