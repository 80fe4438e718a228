"""Sockets in the file system; that they are replaced and permitted as told is in test_control.py."""

from __future__ import annotations

import getpass
import os
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub import unixsocket
from hub.trust import user_name


def test_one_that_listens_answers_and_one_that_has_gone_does_not(tmp_path: Path) -> None:
    path = tmp_path / "one.sock"
    assert not unixsocket.answers(path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        assert unixsocket.answers(path)
    assert path.exists()
    assert not unixsocket.answers(path)


def test_the_longest_path_is_what_the_kernel_takes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def bind(length: int) -> None:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("./" + "x" * (length - 2))

    monkeypatch.chdir(tmp_path)
    bind(unixsocket.LONGEST_PATH)
    with pytest.raises(OSError, match="too long"):
        bind(unixsocket.LONGEST_PATH + 1)


def test_the_peer_is_told_by_user_and_process() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert unixsocket.peer(SimpleNamespace(socket=ours)) == f"{getpass.getuser()}, pid {os.getpid()}"


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert user_name(987_654) == "uid 987654"


def test_a_path_is_free_if_nothing_or_a_dead_socket_is_there(tmp_path: Path) -> None:
    path = tmp_path / "one.sock"
    unixsocket.check_free(path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        with pytest.raises(OSError, match="another process listens there"):
            unixsocket.check_free(path)
    unixsocket.check_free(path)
    path.unlink()
    path.write_text("precious")
    with pytest.raises(FileExistsError, match="is not a socket"):
        unixsocket.check_free(path)


def test_a_socket_for_datagrams_is_in_use_while_it_is_open(tmp_path: Path) -> None:
    path = tmp_path / "datagrams"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(path))
        assert unixsocket.answers(path)
        with pytest.raises(OSError, match="another process"):
            unixsocket.check_free(path)
    assert not unixsocket.answers(path)
    unixsocket.check_free(path)
