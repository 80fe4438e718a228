"""What systemd is told, received by a real datagram socket."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

from hub.systemd import Notifier
from tests.support import PATIENCE, ROOT


@pytest.fixture(params=["file", "abstract"])
def channel(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    address = str(tmp_path / "notify") if request.param == "file" else f"@hubbub-test-{uuid.uuid4()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0" + address[1:] if address.startswith("@") else address)
        listening.settimeout(5 * PATIENCE)
        yield address, listening


def test_each_word_is_one_datagram(channel: tuple[str, socket.socket]) -> None:
    address, listening = channel
    notifier = Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "3000000"})
    notifier.ready()
    notifier.status("backlog 5\nforged")
    notifier.status("backlog 5\nforged")
    notifier.watchdog()
    notifier.stopping()
    said = [listening.recv(1000) for _ in range(4)]
    assert said == [b"READY=1", b"STATUS=backlog 5 forged", b"WATCHDOG=1", b"STOPPING=1"]
    notifier.reloading()
    assert listening.recv(1000).startswith(b"RELOADING=1\nMONOTONIC_USEC=")


def test_the_watchdog_is_fed_only_where_it_watches_us(channel: tuple[str, socket.socket]) -> None:
    address, listening = channel
    Notifier({"NOTIFY_SOCKET": address}).watchdog()
    Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1", "WATCHDOG_PID": "1"}).watchdog()
    Notifier({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1", "WATCHDOG_PID": str(os.getpid())}).watchdog()
    assert listening.recv(1000) == b"WATCHDOG=1"
    listening.setblocking(False)
    with pytest.raises(BlockingIOError):
        listening.recv(1000)


def test_without_systemd_nothing_is_said_and_nothing_raised(caplog: pytest.LogCaptureFixture) -> None:
    Notifier({}).ready()
    assert not caplog.records
    Notifier({"NOTIFY_SOCKET": "/nothing/there"}).ready()
    assert "systemd could not be notified of 'READY=1'" in caplog.text


def test_the_unit_restarts_a_hub_that_a_consumer_ended_with_exit_code_0() -> None:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(ROOT / "hub" / "templates" / "systemd" / "hubbub.service")
    assert unit["Service"]["Restart"] == "always"
    assert unit["Service"]["RestartPreventExitStatus"] == str(os.EX_CONFIG)
