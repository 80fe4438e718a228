"""Named tokens besides the server's own: for a program, a screen or a colleague, each with rights and an expiry.

They are in ``web.tokens`` beside the server's own token. The file holds the SHA-256 of a token, a random number of 256
bits, which can't be found from it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec

from hub.errors import ConfigError
from hub.http.access import Right
from hub.statefiles import open_file, write_whole
from hub.trust import ROOT, user_name
from hub.watched_files import WatchedFiles

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
MOST = 1000
LARGEST = 1 << 20
"""Bytes of the file at most."""
RIGHTS: tuple[Right, ...] = ("numbers", "contents", "actions")


class NamedToken(msgspec.Struct, forbid_unknown_fields=True):
    """Named token. :ivar expires: epoch seconds; ``None``: never."""

    name: str
    rights: list[Right]
    sha256: str
    created: float
    expires: float | None = None

    def good(self, now: float) -> bool:
        """True if it has not expired."""
        return self.expires is None or now < self.expires


def tokens_path(token_path: Path) -> Path:
    """Path of the file of named tokens, beside the server's own token."""
    return token_path.with_name(token_path.name + "s")


def read(path: Path) -> list[NamedToken]:
    """Read all named tokens; none if there is no file.

    :raises ConfigError: the file can't be read or parsed, is another user's, or readable by others.
    """
    try:
        descriptor = open_file(path, os.O_RDONLY)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError([f"the tokens in {path} can't be read: {error.strerror or error}"]) from error
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if found.st_uid not in (ROOT, os.geteuid()):
            raise ConfigError(
                [f"the tokens in {path} belong to {user_name(found.st_uid)}: remove the file, or chown it"]
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise ConfigError([f"the tokens in {path} are open to others: chmod 600 {path}"])
        try:
            return msgspec.json.decode(file.read(LARGEST), type=list[NamedToken])
        except msgspec.DecodeError as error:
            raise ConfigError([f"the tokens in {path} can't be parsed: {error}"]) from error


def write(path: Path, tokens: list[NamedToken]) -> None:
    """Write all named tokens, atomically. :raises OSError: the file can't be written."""
    write_whole(path, msgspec.json.format(msgspec.json.encode(tokens), indent=1) + b"\n")


def add(path: Path, name: str, rights: list[Right], now: float, lasts: float | None) -> str:
    """Add a named token. :returns: the token, which is stored nowhere else.

    :param now: epoch seconds. :param lasts: seconds; ``None``: without end.
    :raises ConfigError: the name is taken, there are too many, or the file can't be used.
    :raises OSError: it can't be written.
    """
    there = [one for one in read(path) if one.good(now) or one.name != name]
    if not NAME.fullmatch(name):
        raise ConfigError([f"a token's name has 1 to 32 characters of A-Z a-z 0-9 _ . -, not {name!r}"])
    if any(one.name == name for one in there):
        raise ConfigError([f"there is a token {name!r} already: 'hubbub web remove-token {name}' removes it"])
    if len(there) >= MOST:
        raise ConfigError([f"there are {MOST} tokens already"])
    token = secrets.token_urlsafe(32)
    expires = None if lasts is None else now + lasts
    write(path, [*there, NamedToken(name, rights, _digest(token.encode()), now, expires)])
    return token


def remove(path: Path, name: str) -> None:
    """Remove a named token. :raises ConfigError: there is none of that name. :raises OSError: it can't be written."""
    there = read(path)
    if all(one.name != name for one in there):
        known = ", ".join(one.name for one in there) or "none"
        raise ConfigError([f"no token is called {name!r}; there are: {known}"])
    write(path, [one for one in there if one.name != name])


class NamedTokens:
    """File of named tokens, read again when it changed. If it can't be used, no named token is valid.

    :param complain: called once, with the reason.
    """

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        self._file = WatchedFiles([path], lambda: read(path), complain)

    def find(self, candidate: bytes, now: float) -> NamedToken | None:
        """Named token that matches the candidate, if it has not expired."""
        digest = _digest(candidate)
        found = [one for one in self._file.content() or () if hmac.compare_digest(one.sha256, digest)]
        return next((one for one in found if one.good(now)), None)


def _digest(token: bytes) -> str:
    return hashlib.sha256(token).hexdigest()
