"""Certificates in PEM files (RFC 7468). Needs pyOpenSSL."""

from __future__ import annotations

from typing import Any

_END = b"-----END CERTIFICATE-----"


def certificates(text: bytes) -> list[Any]:
    """Return the certificates of a file, as Twisted's ``Certificate``.

    :raises ValueError: there is none, or one is damaged.
    """
    from OpenSSL.crypto import Error
    from twisted.internet.ssl import Certificate

    parts = [part + _END for part in text.split(_END)[:-1]]
    if not parts:
        raise ValueError("there is no certificate in it")
    try:
        return [Certificate.loadPEM(part) for part in parts]
    except Error as error:
        raise ValueError("a certificate in it is damaged") from error
