"""Unix sockets: file permissions control access, and the kernel identifies the peer (``unix(7)``)."""

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
"""Bytes of a socket's path, the kernel's limit (``sun_path`` without the final zero)."""


def answers(path: Path) -> bool:
    """True if a process listens on the socket, or has one of another kind there, such as one for datagrams."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)  # a hung process with a full backlog would block us
        try:
            probe.connect(str(path))
        except OSError as error:
            return error.errno in (errno.EAGAIN, errno.EPROTOTYPE)
        return True


def check_free(path: Path) -> None:
    """Check a path for a library that deletes any file there when it binds: only an unused socket may be deleted.

    :raises OSError: the path has another file, or a socket in use.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise FileExistsError(errno.EEXIST, "exists and is not a socket", str(path))
    if answers(path):
        raise OSError(errno.EADDRINUSE, "another process listens there", str(path))


def listen(reactor: Any, path: Path, site: Any, mode: int) -> Any:
    """Listen on a Unix socket; an unused socket file is replaced. :returns: the port.

    :param mode: permissions of the file; they are set before anybody can connect.
    :raises OSError: the file can't be made. :raises CannotListenError: Twisted can't listen.
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
    """User and process at the other end (``SO_PEERCRED``)."""
    pid, uid, _ = struct.unpack("=iII", transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return f"{user_name(uid)}, pid {pid}"


def ourselves() -> str:
    """User and process of this side, in the same form."""
    return f"{user_name(os.getuid())}, pid {os.getpid()}"
