"""Listening on TCP and on Unix sockets, and what is said where that can't be."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from twisted.internet.protocol import Factory, Protocol

from hub.address import parse
from hub.errors import ConfigError, Unavailable
from hub.listener import Listener
from tests.conftest import ReactorThread
from tests.support import free_port


def listening(reactor_thread: ReactorThread, text: str) -> Listener:
    listener = Listener(parse(text), 0o640, reactor_thread.reactor)
    reactor_thread.call(listener.listen, Factory.forProtocol(Protocol))
    return listener


def test_it_listens_until_it_is_closed(reactor_thread: ReactorThread) -> None:
    port = free_port()
    listener = listening(reactor_thread, f"127.0.0.1:{port}")
    with socket.create_connection(("127.0.0.1", port)):
        pass
    (descriptor,) = listener.descriptors()
    assert os.fstat(descriptor)
    reactor_thread.call(listener.close)
    assert listener.descriptors() == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    reactor_thread.call(listener.close)


def test_a_unix_socket_has_its_mode_and_goes(reactor_thread: ReactorThread, tmp_path: Path) -> None:
    path = tmp_path / "s"
    listener = listening(reactor_thread, f"unix:{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    with pytest.raises(Unavailable, match="in use"):
        listening(reactor_thread, f"unix:{path}")
    reactor_thread.call(listener.close)
    assert not path.exists()


def test_an_address_in_use_is_named(reactor_thread: ReactorThread) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Unavailable, match=f"127.0.0.1:{port}"):
            listening(reactor_thread, f"127.0.0.1:{port}")


def test_a_socket_that_can_not_be_made_is_a_mistake_in_the_configuration(
    reactor_thread: ReactorThread, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="can't be made"):
        listening(reactor_thread, f"unix:{tmp_path}/file/s")
