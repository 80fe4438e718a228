"""The token that actions need, in a file that only the hub's user can read."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from hub.errors import ConfigError
from hub.monitoring.web.settings import WebConfig
from hub.trust import ROOT, user_name

FORM = re.compile(r"[A-Za-z0-9_.~+/=-]{32,512}")
"""What fits into an ``Authorization: Bearer`` header, and is too long to be guessed."""
FILE = "web.token"
"""Its name in the hub's state directory, where the configuration names no other."""


def token_path(config: WebConfig, state_dir: Path) -> Path:
    """Where a server of these settings has its token."""
    return config.token_file or state_dir / FILE


class TokenFile:
    """Reads the file again whenever it was changed, so that a new token holds at once, without a reload.

    A file that has become unreadable lets nobody in: whoever removed it may have wanted just that.

    :param complain: told once, in a sentence, why no token is good.
    """

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        self._path = path
        self._complain = complain
        self._token: bytes | None = None
        self._seen: tuple[int, ...] = ()

    def prepare(self) -> None:
        """Make the file if it is missing. :raises ConfigError: it can't be made or used."""
        if not self._path.exists():
            try:
                create(self._path)
            except FileExistsError:
                pass
            except OSError as error:
                raise ConfigError([f"the token file {self._path} can't be made: {error.strerror or error}"]) from error
        self._token = read(self._path, _ours()).encode()
        self._seen = self._mark()

    def matches(self, candidate: bytes) -> bool:
        """Whether it is the token, in a time that does not tell how much of it is right."""
        self._refresh()
        return self._token is not None and hmac.compare_digest(self._token, candidate)

    def secret(self) -> bytes | None:
        """The token as it is now; ``None``: there is none that can be used."""
        self._refresh()
        return self._token

    def _refresh(self) -> None:
        mark = self._mark()
        if mark == self._seen:
            return
        self._seen = mark
        try:
            self._token = read(self._path, _ours()).encode()
        except ConfigError as error:
            self._token = None
            self._complain(str(error))

    def _mark(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return (found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode)


def read(path: Path, owners: frozenset[int] | None = None) -> str:
    """The token.

    :param owners: users whose file it may be; ``None``: anybody's. One that another user wrote, that user knows.
    :raises ConfigError: it is missing, another user's, others may read it too, or it holds no token.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError([f"the token file {path} can't be read: {error.strerror or error}"]) from error
    with open(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise ConfigError([f"the token file {path} is not a file"])
        if owners is not None and found.st_uid not in owners:
            raise ConfigError([f"the token file {path} belongs to {user_name(found.st_uid)}: remove it, or chown it"])
        if found.st_mode & 0o077:
            mode = stat.S_IMODE(found.st_mode)
            raise ConfigError([f"the token file {path} is open to others, mode {mode:04o}: chmod 600 {path}"])
        token = file.read(1024).decode("ascii", "replace").strip()
    if not FORM.fullmatch(token):
        raise ConfigError(
            [f"the token file {path} holds no token: at least 32 letters, digits or any of - _ . ~ + / = (remove it)"]
        )
    return token


def _ours() -> frozenset[int]:
    return frozenset({ROOT, os.geteuid()})


def create(path: Path, replace: bool = False) -> str:
    """Write a new token, whole or not at all. Its owner is the old one's, else the directory's.

    :raises FileExistsError: there is one, and it is not to be replaced.
    :raises OSError: it can't be written.
    """
    token = secrets.token_urlsafe(32)
    owner = (path if path.exists() else path.parent).stat()
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write(draft, token, owner.st_uid, owner.st_gid)
        if replace:
            draft.replace(path)
        else:
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    _sync(path.parent)
    return token


def _write(path: Path, token: str, uid: int, gid: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        os.fchmod(descriptor, 0o600)
        if os.geteuid() == 0:
            os.fchown(descriptor, uid, gid)
        file.write(token + "\n")
        file.flush()
        os.fsync(descriptor)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
