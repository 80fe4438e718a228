"""A Google service account: what signs in to Firebase Cloud Messaging (RFC 7523)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from hub.consumers.sending.outcome import Temporary
from hub.consumers.webhook.answer import Answer
from hub.consumers.webhook.target import destination_of
from hub.errors import ConfigError
from hub.settings import SecretRef

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = 3600
EARLY = 60.0
"""Seconds before its end at which a token is replaced."""
FORM = "application/x-www-form-urlencoded"


class ServiceAccount:
    """A service account. :param reference: its JSON key. :raises ConfigError: it can't be read, or is none.

    :ivar token_url: where tokens are had. :ivar send_url: where the project's messages go.
    """

    def __init__(self, reference: SecretRef) -> None:
        content = _object(reference)
        try:
            self._email = str(content["client_email"])
            self._key = _private_key(str(content["private_key"]))
            self.token_url = str(content.get("token_uri", "https://oauth2.googleapis.com/token"))
            self.token_host = destination_of(self.token_url).name
            self.send_url = f"https://fcm.googleapis.com/v1/projects/{content['project_id']}/messages:send"
            destination_of(self.send_url)
        except KeyError as error:
            raise ConfigError([f"{reference}: the key of the service account has no {error.args[0]!r}"]) from None
        except ValueError:
            raise ConfigError([f"{reference}: a field of the service account's key is unusable"]) from None

    def order(self, now: float) -> bytes:
        """The body of a request for a token. :param now: epoch seconds."""
        claims = {
            "iss": self._email,
            "scope": SCOPE,
            "aud": self.token_url,
            "iat": int(now),
            "exp": int(now) + LIFETIME,
        }
        content = b".".join(_base64(msgspec.json.encode(part)) for part in ({"alg": "RS256", "typ": "JWT"}, claims))
        return urlencode(
            {"grant_type": GRANT, "assertion": content + b"." + _base64(self._signature(content))}
        ).encode()

    def _signature(self, content: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA256

        signature: bytes = self._key.sign(content, PKCS1v15(), SHA256())
        return signature


class AccessToken:
    """The token that a service account was given last. For one thread."""

    def __init__(self) -> None:
        self._text = ""
        self._until = 0.0

    def text(self, now: float) -> str:
        """The token; empty: there is none that is good. :param now: monotonic seconds."""
        return self._text if now < self._until else ""

    def take(self, answer: Answer, now: float) -> str:
        """Read the answer to an order. :raises Temporary: there is no token in it."""
        try:
            content = msgspec.json.decode(answer.text)
            text, seconds = content["access_token"], float(content.get("expires_in", LIFETIME))
            if answer.status != 200 or not isinstance(text, str) or not text.isascii() or not text.isprintable():
                raise ValueError
        except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError):
            raise Temporary(f"no access token: the token server answered {answer.status}") from None
        self._text, self._until = text, now + max(0.0, seconds - EARLY)
        return text

    def forget(self) -> None:
        """Have a new one made: the token was refused."""
        self._until = 0.0


def _object(reference: SecretRef) -> Mapping[str, Any]:
    try:
        content = msgspec.json.decode(reference.read())
    except msgspec.DecodeError:
        content = None
    if not isinstance(content, dict):
        raise ConfigError([f"{reference}: expected the JSON key of a service account"])
    return content


def _private_key(pem: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), None)
    except TypeError:
        raise ValueError("the private key has a passphrase") from None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("the private key is not RSA's")
    return key


def _base64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
