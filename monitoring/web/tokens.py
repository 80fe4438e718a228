"""Named tokens, beside the hub's own: for a program, a screen or a colleague, each with rights and an end.

They are in ``web.tokens`` beside the hub's own token. The file has the SHA-256 of a token, not the token: that is a
random number of 256 bits, which nobody finds from there.
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
from hub.interfaces import Access
from hub.statefiles import open_file
from hub.trust import ROOT, user_name

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
MOST = 1000
LARGEST = 1 << 20
"""Bytes of the file."""
RIGHTS: tuple[Access, ...] = ("numbers", "contents", "actions")


class NamedToken(msgspec.Struct, forbid_unknown_fields=True):
    """One of them. :ivar expires: epoch seconds; ``None``: never."""

    name: str
    rights: list[Access]
    sha256: str
    created: float
    expires: float | None = None

    def good(self, now: float) -> bool:
        """Whether it is not over."""
        return self.expires is None or now < self.expires


def tokens_path(token_path: Path) -> Path:
    """Where the named ones are, beside the hub's own token."""
    return token_path.with_name(token_path.name + "s")


def read(path: Path) -> list[NamedToken]:
    """All of them; none if there is no file.

    :raises ConfigError: the file can't be read or understood, is another user's, or others may read it.
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
            raise ConfigError([f"the tokens in {path} can't be understood: {error}"]) from error


def write(path: Path, tokens: list[NamedToken]) -> None:
    """All of them, whole or not at all. :raises OSError: it can't be written."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(open_file(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(tokens), indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def add(path: Path, name: str, rights: list[Access], now: float, lasts: float | None) -> str:
    """Make a new one. :returns: the token, which is nowhere else.

    :param now: epoch seconds. :param lasts: seconds; ``None``: for good.
    :raises ConfigError: there is one of that name, or too many, or the file can't be used.
    :raises OSError: it can't be written.
    """
    there = [one for one in read(path) if one.good(now) or one.name != name]
    if not NAME.fullmatch(name):
        raise ConfigError([f"a token's name is of A-Z a-z 0-9 _ . -, 32 at most, not {name!r}"])
    if any(one.name == name for one in there):
        raise ConfigError([f"there is a token {name!r} already: 'hubbub web remove-token {name}' removes it"])
    if len(there) >= MOST:
        raise ConfigError([f"there are {MOST} tokens already"])
    token = secrets.token_urlsafe(32)
    expires = None if lasts is None else now + lasts
    write(path, [*there, NamedToken(name, rights, _digest(token.encode()), now, expires)])
    return token


def remove(path: Path, name: str) -> None:
    """Let go of one. :raises ConfigError: there is none of that name. :raises OSError: it can't be written."""
    there = read(path)
    if all(one.name != name for one in there):
        known = ", ".join(one.name for one in there) or "none"
        raise ConfigError([f"no token is called {name!r}; there are: {known}"])
    write(path, [one for one in there if one.name != name])


class NamedTokens:
    """Reads the file again whenever it was changed. One that can't be used lets nobody in.

    :param complain: told once, in a sentence, why none is good.
    """

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        self._path = path
        self._complain = complain
        self._tokens: list[NamedToken] = []
        self._seen: tuple[int, ...] = ()

    def find(self, candidate: bytes, now: float) -> NamedToken | None:
        """The one that it is, if that is good now."""
        self._refresh()
        digest = _digest(candidate)
        found = [one for one in self._tokens if hmac.compare_digest(one.sha256, digest)]
        return next((one for one in found if one.good(now)), None)

    def _refresh(self) -> None:
        mark = self._mark()
        if mark == self._seen:
            return
        self._seen = mark
        try:
            self._tokens = read(self._path)
        except ConfigError as error:
            self._tokens = []
            self._complain(str(error))

    def _mark(self) -> tuple[int, ...]:
        try:
            found = self._path.lstat()
        except OSError:
            return ()
        return (found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode)


def _digest(token: bytes) -> str:
    return hashlib.sha256(token).hexdigest()
