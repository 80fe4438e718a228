"""Token that actions need, in a file that only the hub's user can read."""

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
from hub.statefiles import sync_directory
from hub.trust import ROOT, user_name
from hub.watched_files import WatchedFiles

FORM = re.compile(r"[A-Za-z0-9_.~+/=-]{32,512}")
"""Form of a token: valid in an ``Authorization: Bearer`` header, and too long to guess."""
FILE = "web.token"
"""Default name of the file in the hub's state directory."""


def token_path(config: WebConfig, state_dir: Path) -> Path:
    """Path of a server's token file."""
    return config.token_file or state_dir / FILE


class TokenFile:
    """Token file, read again when it changed, so that a new token works at once, without a reload.

    If the file becomes unreadable, no token is valid: it may have been removed for that purpose.

    :param complain: called once, with the reason why no token is valid.
    """

    def __init__(self, path: Path, complain: Callable[[str], None]) -> None:
        self._path = path
        self._file = WatchedFiles([path], lambda: read(path, _ours()).encode(), complain)

    def prepare(self) -> None:
        """Create the file if it is missing. :raises ConfigError: it can't be created or used."""
        if not self._path.exists():
            try:
                create(self._path)
            except FileExistsError:
                pass
            except OSError as error:
                raise ConfigError([f"the token file {self._path} can't be made: {error.strerror or error}"]) from error
        self._file.load()

    def matches(self, candidate: bytes) -> bool:
        """True if the candidate is the token, compared in constant time."""
        token = self._file.content()
        return token is not None and hmac.compare_digest(token, candidate)

    def secret(self) -> bytes | None:
        """Current token; ``None``: there is no usable one."""
        return self._file.content()


def read(path: Path, owners: frozenset[int] | None = None) -> str:
    """Read a token.

    :param owners: users who may own the file; ``None``: any. A token that another user wrote is known to that user.
    :raises ConfigError: the file is missing, another user's, readable by others, or holds no token.
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
            [f"the token file {path} holds no token of at least 32 letters, digits or any of - _ . ~ + / =: remove it"]
        )
    return token


def _ours() -> frozenset[int]:
    return frozenset({ROOT, os.geteuid()})


def create(path: Path, replace: bool = False) -> str:
    """Create a new token file, atomically. Its owner is that of the old file, else that of the directory.

    :raises FileExistsError: the file exists, and ``replace`` is false.
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
    sync_directory(path.parent)
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
