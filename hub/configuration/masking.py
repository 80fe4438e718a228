"""Keeps secrets out of what is printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hub.configuration.kinds import is_secret
from hub.configuration.spelling import shown
from hub.settings import Secret

HIDDEN = "***"
_IN_TEXT = re.compile(r"(://[^\s:@/'\"]*:)[^\s'\"]*@")
_IN_VALUE = re.compile(r"^([A-Za-z][\w+.-]*://[^:@/]*:)(.*)@", re.DOTALL)
_NAMED_SECRET = r"(?:passw|pwd|secret|token|api_?key|access_?key|signature)"  # noqa: S105 - how secrets are named
_IN_QUERY = re.compile(rf"([?&][^=&\s'\"]*{_NAMED_SECRET}[^=&\s'\"]*=)[^&\s'\"]+", re.IGNORECASE)


def masked(text: str) -> str:
    """Prose without the passwords of the URLs in it. Where it says too little, it hides too much."""
    return _IN_QUERY.sub(rf"\1{HIDDEN}", _IN_TEXT.sub(rf"\1{HIDDEN}@", text))


def masked_value(value: Any) -> Any:
    """A setting without the passwords of URLs, which may hold spaces, slashes and quotes here."""
    if isinstance(value, str):
        return _IN_QUERY.sub(rf"\1{HIDDEN}", _IN_VALUE.sub(rf"\1{HIDDEN}@", value))
    if isinstance(value, list):
        return [masked_value(item) for item in value]
    if isinstance(value, dict):
        return {key: HIDDEN if _is_secret(key, item) else masked_value(item) for key, item in value.items()}
    return value


def _is_secret(key: object, value: object) -> bool:
    """Whether a key of a table is named like a secret, and has one, not the place of one."""
    return isinstance(value, str) and is_secret(str(key), None) and not Secret.is_reference(value)


def shown_masked(value: object) -> str:
    """A few words for a value that was refused."""
    return shown(masked_value(value))


def without(text: str, value: object, *, whole: bool) -> str:
    """Prose about a value, without what is secret in that value.

    :param whole: the value is a secret itself, not only the password of a URL in it.
    """
    for inner in _texts(value):
        hidden = HIDDEN if whole else masked_value(inner)
        if inner and hidden != inner:
            text = text.replace(inner, hidden).replace(repr(inner)[1:-1], hidden)
            if not whole and (found := _IN_VALUE.match(inner)):
                text = text.replace(f":{found.group(2)}@", f":{HIDDEN}@")
    return masked(text)


def _texts(value: object) -> Iterator[str]:
    """Every text and number in it."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, (str, float)) or (isinstance(value, int) and value.bit_length() <= 128):
        yield str(value)
