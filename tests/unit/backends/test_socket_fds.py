"""Which sockets of this process are those of its endpoints."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from hub.backends.zeromq import socket_fds as module
from hub.backends.zeromq.socket_fds import socket_fds


def pair(family: socket.AddressFamily, address: object) -> tuple[socket.socket, socket.socket, socket.socket]:
    """One that listens, the connection that it accepted, and the other end of that."""
    listening = socket.socket(family)
    listening.bind(address)  # type: ignore[arg-type]
    listening.listen()
    connected = socket.socket(family)
    connected.connect(listening.getsockname())
    accepted, _ = listening.accept()
    return listening, accepted, connected


@pytest.mark.parametrize("transport", ["tcp", "ipc", "abstract"])
def test_what_listens_is_accepted_or_connected_is_found_and_nothing_else(tmp_path: Path, transport: str) -> None:
    family, address, endpoint = {
        "tcp": (socket.AF_INET, ("127.0.0.1", 0), "tcp://127.0.0.1:{}"),
        "ipc": (socket.AF_UNIX, str(tmp_path / "bus"), "ipc://{}"),
        "abstract": (socket.AF_UNIX, f"\0{tmp_path}/bus", "ipc://{}"),
    }[transport]
    ours, others = pair(family, address), pair(socket.AF_INET, ("127.0.0.1", 0))
    name = ours[0].getsockname()
    place = name[1] if transport == "tcp" else name if transport == "ipc" else "@" + name.decode()[1:]
    text = endpoint.format(place)
    one, other = socket.socketpair()
    assert set(socket_fds([text], [])) == {ours[0].fileno(), ours[1].fileno()}
    assert set(socket_fds([], [text])) == {ours[2].fileno()}
    assert set(socket_fds([], [])) == set()
    for opened in (*ours, *others, one, other):
        opened.close()


def test_without_a_proc_there_is_nothing_to_be_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "OWN", str(tmp_path / "none"))
    assert list(socket_fds(["tcp://127.0.0.1:1"], [])) == []
