"""Sockets in the file system: who may open the file may speak, and the kernel knows who that is (``unix(7)``)."""

from __future__ import annotations

import errno
import os
import socket
import stat
import struct
from pathlib import Path
from typing import Any

from hub.trust import user_name

LONGEST_PATH = 107
"""Bytes of a socket's path: what the kernel takes (``sun_path``, less the zero at its end)."""


def answers(path: Path) -> bool:
    """Whether somebody listens there."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # one that hangs has a full backlog, and would have us wait with it
        try:
            probe.connect(str(path))
        except OSError as error:
            return error.errno == errno.EAGAIN
        return True


def check_free(path: Path) -> None:
    """For a library that deletes whatever is at the path when it binds: only a socket that nobody listens at may go.

    :raises OSError: something else is there.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise FileExistsError(errno.EEXIST, "is there, and is not a socket", str(path))
    if answers(path):
        raise OSError(errno.EADDRINUSE, "another process listens there", str(path))


def listen(reactor: Any, path: Path, site: Any, mode: int) -> Any:
    """Listen there; a socket's file that nobody listens at any more is replaced. Returns the port.

    :param mode: permissions of the file. Nobody may connect before it has those that it is to have.
    :raises OSError: the file can't be made. :raises CannotListenError: as Twisted says it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_socket() and not path.is_symlink():
        path.unlink()
    before = os.umask(0o177)
    try:
        return reactor.listenUNIX(str(path), site, mode=mode)
    finally:
        os.umask(before)


def peer(transport: Any) -> str:
    """The user and the process at the other end (``SO_PEERCRED``)."""
    pid, uid, _ = struct.unpack("=iII", transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return f"{user_name(uid)}, pid {pid}"


def ourselves() -> str:
    """The same of this process."""
    return f"{user_name(os.getuid())}, pid {os.getpid()}"
