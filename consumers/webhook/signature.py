"""Signatures of Standard Webhooks 1.0 (https://www.standardwebhooks.com), with one secret or two."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence

from hub.errors import ConfigError
from hub.settings import SecretRef

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret, as the specification has it."""


class Signer:
    """Signs requests. While secrets are changed there are two; a receiver accepts a request if one signature fits.

    :param keys: the secrets as bytes; none: requests have an id and a time, and no signature.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys

    def headers(self, id: str, now: float, body: bytes) -> dict[str, str]:
        """The headers of a request. :param id: the same for each attempt. :param now: epoch seconds."""
        seconds = str(int(now))
        found = {"webhook-id": id, "webhook-timestamp": seconds}
        if self._keys:
            content = f"{id}.{seconds}.".encode() + body
            found["webhook-signature"] = " ".join(_signature(key, content) for key in self._keys)
        return found


def key_of(reference: SecretRef) -> bytes:
    """Read a secret: ``whsec_`` and base64. :raises ConfigError: it can't be read, or is none."""
    text = reference.read().strip()
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError([f"{reference}: expected a secret of Standard Webhooks: 'whsec_' and base64"]) from None
    if not SHORTEST <= len(key) <= LONGEST:
        told = f"{reference}: expected a secret of {SHORTEST} to {LONGEST} bytes, not {len(key)}"
        raise ConfigError([told])
    return key


def _signature(key: bytes, content: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, content, "sha256")).decode()
