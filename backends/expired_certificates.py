"""Dates of certificates that have expired, or are not valid yet: TLS itself says that one is, and not since when.

Needs cryptography, and pyOpenSSL where Twisted makes the connection.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

NOT_YET, EXPIRED = 9, 10
"""OpenSSL's numbers of the two errors."""
Verify = Callable[[Any, Any, int, int, int], Any]
"""Called by OpenSSL with a certificate of the chain, the error and the depth; it has the last word."""


def dated(certificate: Any, now: datetime) -> str | None:
    """What is wrong with the dates of a certificate; ``None``: nothing is. :param certificate: pyOpenSSL's."""
    return wrong_dates(certificate.to_cryptography(), now)


def wrong_dates(made: Any, now: datetime) -> str | None:
    """The fault of a certificate's dates; ``None``: there is none. :param made: cryptography's."""
    if made.not_valid_after_utc < now:
        return f"expired on {made.not_valid_after_utc:%Y-%m-%d}"
    if made.not_valid_before_utc > now:
        return f"is not valid before {made.not_valid_before_utc:%Y-%m-%d}"
    return None


def listen(options: Any, found: Callable[[str], None]) -> None:
    """Have Twisted's options of a client tell of certificates whose dates are wrong.

    Twisted verifies in a callback of its own, the only one there may be. It stays in place and decides: it is wrapped
    where Twisted sets it. Where a Twisted has no such place, nothing is told.

    :param found: called with what is wrong with one.
    """
    make = getattr(options, "_createConnection", None)
    if make is not None:
        options._createConnection = lambda protocol: _listening(make(protocol), found)


def _listening(connection: Any, found: Callable[[str], None]) -> Any:
    set_verify = connection.set_verify

    def wrapped(mode: int, verify: Verify) -> None:
        def told(line: Any, certificate: Any, error: int, depth: int, valid: int) -> Any:
            text = dated(certificate, datetime.now(UTC)) if error in (NOT_YET, EXPIRED) else None
            if text is not None:
                found(f"{'the broker' if depth == 0 else 'the authority'}'s certificate {text}")
            return verify(line, certificate, error, depth, valid)

        set_verify(mode, told)

    connection.set_verify = wrapped
    return connection
