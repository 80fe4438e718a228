"""Default paths of the state directory and the control socket. Nothing is created here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from hub.statefiles import SYSTEM_STATE
from hub.unixsocket import LONGEST_PATH


def is_system_file(file: Path) -> bool:
    """True if a configuration is the machine's: it is under /etc."""
    return Path(os.path.normpath(file)).is_relative_to("/etc")


def state_dir(set_to: Path | None, file: Path, environ: Mapping[str, str]) -> tuple[Path, str]:
    """The state directory, and its source (empty: the setting itself).

    :param set_to: the setting of that name.
    """
    if set_to is not None:
        return set_to, ""
    if given := environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(given), "$STATE_DIRECTORY"
    return SYSTEM_STATE if is_system_file(file) else file.parent / "state", "default"


def control_socket(set_to: Path | None, file: Path, state: Path, environ: Mapping[str, str]) -> tuple[Path, str]:
    """The control socket, and its source (empty: the setting itself).

    :param set_to: the setting of that name.
    :param state: the state directory.
    """
    if set_to is not None:
        return set_to, ""
    if given := environ.get("RUNTIME_DIRECTORY", "").split(":")[0]:
        return Path(given) / "hub.sock", "$RUNTIME_DIRECTORY"
    return (Path("/run/hubbub") if is_system_file(file) else state) / "hub.sock", "default"


def too_long(socket: Path) -> str:
    """The problem with the length of the socket's path; empty: none."""
    length = len(os.fsencode(socket))
    if length <= LONGEST_PATH:
        return ""
    return f"{socket} is {length} bytes long, and a Unix socket's path at most {LONGEST_PATH}: set control_socket"
