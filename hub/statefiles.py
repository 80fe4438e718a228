"""Opens files of the state directory safely, as the directory's owner.

The directory belongs to the hub's user. If root's command followed a link in it, it would write as root wherever the
hub's user wants. So a command first becomes the directory's owner, and no file in it is opened through a link, or if it
belongs to somebody else.
"""

from __future__ import annotations

import errno
import os
import pwd
import secrets
import stat
import sys
from pathlib import Path

from hub.errors import ConfigError, Unavailable
from hub.trust import ROOT, Trust, user_name

SYSTEM_STATE = Path("/var/lib/hubbub")
"""State directory of a machine's only hub, as systemd runs it."""
_REACHED, _NOT_REACHED, _FAILED = 0, 1, 2


def open_file(path: Path, flags: int, mode: int = 0o600) -> int:
    """Open a file; ``O_CREAT`` creates a missing one.

    :returns: the descriptor, which child processes do not inherit.
    :raises OSError: it can't be opened, is a link or not a file, or belongs to another user.
    """
    # O_NONBLOCK: a named pipe would block. O_TRUNC comes after the check: the file may be another user's.
    wanted = (flags & ~os.O_TRUNC) | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    descriptor = os.open(path, wanted, mode)
    try:
        _check(path, os.fstat(descriptor))
        if flags & os.O_TRUNC:
            os.ftruncate(descriptor, 0)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file atomically, readable by its owner only. :raises OSError: it can't be written."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(open_file(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Sync the entries of a directory to disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_file(path: Path) -> None:
    """Check a file for a library that opens it itself. A missing file passes. :raises OSError: see ``open_file``."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, "is a symbolic link, which is not followed in the state directory", str(path))
    _check(path, found)


def _check(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "is not a file", str(path))
    if found.st_uid not in (os.geteuid(), path.parent.stat().st_uid):
        text = f"belongs to {user_name(found.st_uid)}, not to the state directory's owner"
        raise PermissionError(errno.EPERM, text, str(path))


def check_directory(directory: Path) -> None:
    """Check that a hub may keep its state in a directory. A missing one passes.

    :raises ConfigError: it belongs to another user, or others may replace what is in it.
    """
    if (text := Trust.now().refusal(directory)) is not None:
        raise ConfigError([f"hub.state_dir: {text}"])


def as_owner(directory: Path) -> Path:
    """Become the directory's owner for the rest of the process, if root runs this; the command then works in it.

    :returns: the path to use from now on. It is relative if the owner can't reach the directory from the root, such as
        one in ``/var/lib/private`` of systemd.
    :raises ConfigError: root owns it, but others may replace it.
    :raises Unavailable: the owner can't read this Python's modules, some of which are not imported yet.
    """
    if os.geteuid() != ROOT or not directory.is_dir():
        return directory
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        owner = os.fstat(descriptor)
        if owner.st_uid == ROOT:
            check_directory(directory)
            return directory
        os.fchdir(descriptor)
    finally:
        os.close(descriptor)
    _become(owner.st_uid, owner.st_gid)
    if not (os.access(os.__file__, os.R_OK) and os.access(sys.executable, os.X_OK)):
        name = user_name(owner.st_uid)
        raise Unavailable(f"{directory} belongs to {name}, who can't read {sys.base_prefix}: use the hub's own command")
    return directory if os.access(directory, os.X_OK) else Path()


def owner_reaches(directory: Path) -> bool:
    """True if the directory's owner can reach it from the root. A child process of root tries it.

    :raises HubError: as ``as_owner``: root must not continue in the owner's place.
    """
    if os.geteuid() != ROOT or not directory.is_dir():
        return True
    child = os.fork()
    if child == 0:
        outcome = _FAILED
        try:
            as_owner(directory)
            outcome = _REACHED if os.access(directory, os.X_OK) else _NOT_REACHED
        finally:
            os._exit(outcome)
    outcome = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if outcome not in (_REACHED, _NOT_REACHED):
        as_owner(directory)  # raises the same error as in the child
    return outcome != _NOT_REACHED


def database_as_owner(file: Path) -> Path:
    """Become the owner of the directory of SQLite's file: SQLite creates files beside it, and root must not create them
    through a link. Where that owner can't reach the file by its path, root stays root, if no part is a link.

    :returns: the path to use from now on. :raises Unavailable: one of these files is a link.
    """
    file = file.absolute()
    try:
        for suffix in ("", "-wal", "-shm", "-journal"):
            check_file(file.with_name(file.name + suffix))
    except OSError as error:
        raise Unavailable(f"the database can't be read: {error}") from error
    if owner_reaches(file.parent):
        as_owner(file.parent)
    return file


def _become(uid: int, gid: int) -> None:
    """Give up root's rights for good. :param gid: group for a user without an account, such as systemd's dynamic
    ones."""
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        os.setgroups([])
    else:
        gid = user.pw_gid
        os.initgroups(user.pw_name, gid)
    os.setgid(gid)
    os.setuid(uid)
