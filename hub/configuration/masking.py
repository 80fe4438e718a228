"""Masks secrets in texts that are printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hub.configuration.spelling import shown
from hub.secret import Secret, named_secret

HIDDEN = "***"
_IN_TEXT = re.compile(r"(://[^\s:@/'\"]*:)[^\s'\"]*@")
_IN_VALUE = re.compile(r"^([A-Za-z][\w+.-]*://[^:@/]*:)(.*)@", re.DOTALL)
_NAMED_SECRET = r"(?:passw|pwd|secret|token|api_?key|access_?key|signature)"  # noqa: S105 - how secrets are named
_IN_QUERY = re.compile(rf"([?&][^=&\s'\"]*{_NAMED_SECRET}[^=&\s'\"]*=)[^&\s'\"]+", re.IGNORECASE)


def masked(text: str) -> str:
    """Mask the passwords of URLs in prose. In doubt it hides too much."""
    return _IN_QUERY.sub(rf"\1{HIDDEN}", _IN_TEXT.sub(rf"\1{HIDDEN}@", text))


def masked_value(value: Any) -> Any:
    """Mask the passwords of URLs in a setting; they may hold spaces, slashes and quotes here."""
    if isinstance(value, str):
        return _IN_QUERY.sub(rf"\1{HIDDEN}", _IN_VALUE.sub(rf"\1{HIDDEN}@", value))
    if isinstance(value, list):
        return [masked_value(item) for item in value]
    if isinstance(value, dict):
        return {key: HIDDEN if _is_secret(key, item) else masked_value(item) for key, item in value.items()}
    return value


def _is_secret(key: object, value: object) -> bool:
    """True if a key is named like a secret and its value is one, not a reference to one."""
    return isinstance(value, str) and named_secret(str(key)) and not Secret.is_reference(value)


def shown_masked(value: object) -> str:
    """Describe a refused value in a few words, with secrets masked."""
    return shown(masked_value(value))


def without(text: str, value: object, *, whole: bool) -> str:
    """Mask in prose what is secret in a value.

    :param whole: the whole value is secret, not only the password of a URL in it.
    """
    for inner in _texts(value):
        hidden = HIDDEN if whole else masked_value(inner)
        if inner and hidden != inner:
            text = text.replace(inner, hidden).replace(repr(inner)[1:-1], hidden)
            if not whole and (found := _IN_VALUE.match(inner)):
                text = text.replace(f":{found.group(2)}@", f":{HIDDEN}@")
    return masked(text)


def _texts(value: object) -> Iterator[str]:
    """Every text and number in a value, at any depth."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, (str, float)) or (isinstance(value, int) and value.bit_length() <= 128):
        yield str(value)
