"""Where the hub keeps its state and its control socket, when the file is silent. Nothing is made here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from hub.configuration.schema import HubSettings
from hub.unixsocket import LONGEST_PATH


def is_system_file(file: Path) -> bool:
    """Whether a configuration is the machine's: one under /etc."""
    return Path(os.path.normpath(file)).is_relative_to("/etc")


def state_dir(hub: HubSettings, file: Path, environ: Mapping[str, str]) -> tuple[Path, str]:
    """The directory, and who said so (empty: the setting itself)."""
    if hub.state_dir is not None:
        return hub.state_dir, ""
    if given := environ.get("STATE_DIRECTORY", "").split(":")[0]:
        return Path(given), "$STATE_DIRECTORY"
    return Path("/var/lib/hubbub") if is_system_file(file) else file.parent / "state", "default"


def control_socket(hub: HubSettings, file: Path, state: Path, environ: Mapping[str, str]) -> tuple[Path, str]:
    """The socket, and who said so (empty: the setting itself).

    :param state: the state directory.
    """
    if hub.control_socket is not None:
        return hub.control_socket, ""
    if given := environ.get("RUNTIME_DIRECTORY", "").split(":")[0]:
        return Path(given) / "hub.sock", "$RUNTIME_DIRECTORY"
    return (Path("/run/hubbub") if is_system_file(file) else state) / "hub.sock", "default"


def too_long(socket: Path) -> str:
    """What is wrong with the socket's path; empty: nothing."""
    length = len(os.fsencode(socket))
    if length <= LONGEST_PATH:
        return ""
    return f"{socket} is {length} bytes long, and a Unix socket's path at most {LONGEST_PATH}: set control_socket"
