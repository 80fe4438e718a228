"""Where the state and the control socket are."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.configuration.places import control_socket, state_dir, too_long

HOME, SYSTEM = Path("/home/ann/hub.conf"), Path("/etc/hubbub/hub.conf")
SYSTEMD = {"STATE_DIRECTORY": "/var/lib/one:/var/lib/two", "RUNTIME_DIRECTORY": "/run/one:/run/two"}


@pytest.mark.parametrize(
    ("file", "environ", "state", "socket"),
    [
        (HOME, {}, "/home/ann/state", "/home/ann/state/hub.sock"),
        (SYSTEM, {}, "/var/lib/hubbub", "/run/hubbub/hub.sock"),
        (Path("/etc/../home/hub.conf"), {}, "/etc/../home/state", "/etc/../home/state/hub.sock"),
        (SYSTEM, SYSTEMD, "/var/lib/one", "/run/one/hub.sock"),
        (HOME, {"STATE_DIRECTORY": "/s"}, "/s", "/s/hub.sock"),
        (HOME, {"STATE_DIRECTORY": "", "RUNTIME_DIRECTORY": ""}, "/home/ann/state", "/home/ann/state/hub.sock"),
    ],
)
def test_what_is_not_set_follows_from_systemd_or_the_file(
    file: Path, environ: dict[str, str], state: str, socket: str
) -> None:
    found, _ = state_dir(None, file, environ)
    assert found == Path(state)
    assert control_socket(None, file, found, environ)[0] == Path(socket)


def test_what_is_set_wins_and_each_source_is_named() -> None:
    assert state_dir(Path("/s"), SYSTEM, SYSTEMD) == (Path("/s"), "")
    assert control_socket(Path("/c"), SYSTEM, Path("/s"), SYSTEMD) == (Path("/c"), "")
    assert state_dir(None, SYSTEM, SYSTEMD)[1] == "$STATE_DIRECTORY"
    assert control_socket(None, SYSTEM, Path("/s"), SYSTEMD)[1] == "$RUNTIME_DIRECTORY"
    assert state_dir(None, HOME, {})[1] == "default"


def test_a_sockets_path_is_counted_in_bytes() -> None:
    assert too_long(Path("/" + "x" * 106)) == ""
    assert "is 108 bytes long" in too_long(Path("/" + "x" * 107))
    assert "is 109 bytes long" in too_long(Path("/" + "é" * 54))
