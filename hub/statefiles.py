"""Files of the state directory: opened in one way, by the directory's owner.

The directory belongs to the hub's user. A command of root's that followed a link in it would write, as root, wherever
the hub's user wants. So a command becomes the directory's owner first, and nothing in there is opened through a link,
or if it belongs to somebody else.
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
import sys
from pathlib import Path

from hub.errors import ConfigError, Unavailable
from hub.trust import ROOT, Trust, user_name

_REACHED, _NOT_REACHED, _FAILED = 0, 1, 2


def open_file(path: Path, flags: int, mode: int = 0o600) -> int:
    """Open a file; with ``O_CREAT`` make it if it is missing.

    :returns: the descriptor, which is not passed on to child processes.
    :raises OSError: it can't be opened, is a link or no file, or belongs to another user.
    """
    # O_NONBLOCK: a named pipe would be waited for. O_TRUNC has to wait: the file may be another's.
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


def check_file(path: Path) -> None:
    """For a library that opens the file itself. A file that is missing passes. :raises OSError: see ``open_file``."""
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
    """For whoever keeps state in it: the hub. A directory that is missing passes.

    :raises ConfigError: it belongs to another user, or others may replace what is in it.
    """
    if (text := Trust.now().refusal(directory)) is not None:
        raise ConfigError([f"hub.state_dir: {text}"])


def as_owner(directory: Path) -> Path:
    """Become the directory's owner, if root runs this, for the rest of the process; the command then works in it.

    :returns: the path to use from now on. It is relative where the owner can't walk to the directory from the top, as
        to one that systemd keeps in ``/var/lib/private``.
    :raises ConfigError: root owns it, but somebody else may replace it.
    :raises Unavailable: the owner can't read the Python that runs this, which still has modules to import.
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
    """Whether the directory's owner can walk to it from the top; tried by a child process, for root alone can try.

    :raises HubError: as ``as_owner``: nobody can become the owner, and root must not go on in its place.
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
        as_owner(directory)  # raises what it raised in the child
    return outcome != _NOT_REACHED


def _become(uid: int, gid: int) -> None:
    """Give up root's rights for good. :param gid: the group of a user who is in no list, as systemd's dynamic ones."""
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        os.setgroups([])
    else:
        gid = user.pw_gid
        os.initgroups(user.pw_name, gid)
    os.setgid(gid)
    os.setuid(uid)
