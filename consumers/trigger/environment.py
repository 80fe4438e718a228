"""The environment of a command: some variables of the hub's, the operator's own, and the message's."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping

from hub.message import HeaderValue, Message
from hub.text import encodable

HEADER = "HUBBUB_HEADER_"
OF_MESSAGE = (
    "HUBBUB_CONSUMER",
    "HUBBUB_BACKEND",
    "HUBBUB_TOPIC",
    "HUBBUB_ID",
    "HUBBUB_RECEIVED_AT",
    "HUBBUB_HEADERS_LEFT_OUT",
)
KEPT = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR")
"""Variables of the hub's that a command is given, with those that begin with ``LC_``. The others may hold secrets, or
belong to the hub alone, such as systemd's ``NOTIFY_SOCKET``."""
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
LONGEST_NAME = 16 << 10
"""Bytes of a topic or an id. The kernel's limit for one variable is 128 KiB."""
LONGEST_HEADER = 4 << 10
"""Bytes of the name and the value of a header's variable."""
MOST_BYTES = 64 << 10
"""Bytes of all headers' variables, far below the kernel's limit for arguments and environment."""
UNSAFE = re.compile(r"[^A-Z0-9]+")


class TooLarge(Exception):
    """The topic or the id of a message is too long for a variable."""


def search_path(hub: Mapping[str, str], own: Mapping[str, str]) -> str:
    """The ``PATH`` of commands. :param hub: the hub's environment. :param own: variables of the settings."""
    return own.get("PATH") or hub.get("PATH") or DEFAULT_PATH


def base(hub: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that all commands have. The parameters are those of :func:`search_path`."""
    kept = {name: value for name, value in hub.items() if name in KEPT or name.startswith("LC_")}
    return {**kept, **own, "PATH": search_path(hub, own)}


def of_message(message: Message, consumer: str, base: Mapping[str, str]) -> dict[bytes, bytes]:
    """Return the environment of the command for one message, in UTF-8.

    :param consumer: the consumer's name. :raises TooLarge: the topic or the id is too long.
    """
    for what, text in (("topic", message.topic), ("id", message.id)):
        if (size := len(_value(text))) > LONGEST_NAME:
            raise TooLarge(f"the {what} has {size} bytes: a variable of the command has at most {LONGEST_NAME}")
    headers = dict(_headers(message.headers))
    left_out = len(message.headers) - len(headers)
    told = (consumer, message.backend, message.topic, message.id, repr(message.received_at), str(left_out))
    return {
        **{os.fsencode(name): os.fsencode(value) for name, value in base.items()},
        **{name.encode("ascii"): _value(value) for name, value in zip(OF_MESSAGE, told, strict=True)},
        **{name.encode("ascii"): value for name, value in headers.items()},
    }


def is_of_message(name: str) -> bool:
    """True if a variable of that name tells of the message."""
    return name in OF_MESSAGE or name.startswith(HEADER)


def _variable(header: str) -> str:
    """The name of a header's variable: capital letters, digits and single underscores. Two of them would make it one of
    the hub's settings to a ``hubbub`` that the command runs."""
    return HEADER + UNSAFE.sub("_", header.upper()).strip("_")


def _headers(headers: Mapping[str, HeaderValue]) -> Iterator[tuple[str, bytes]]:
    """Yield a variable for each header, but none for two whose names become the same: neither can pass for the
    other."""
    names = {name: _variable(name) for name in headers}
    often = Counter(names.values())
    left = MOST_BYTES
    for name, variable in names.items():
        value = _value(_text(headers[name]))
        size = len(variable) + len(value)
        if often[variable] == 1 and variable != HEADER and size <= min(left, LONGEST_HEADER):
            left -= size
            yield variable, value


def _text(value: HeaderValue) -> str:
    """The value as JSON has it, but a text without quotes."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(text: str) -> bytes:
    """The bytes of a variable's value, which can't have a NUL."""
    return encodable(text).replace("\0", "\N{REPLACEMENT CHARACTER}").encode()
