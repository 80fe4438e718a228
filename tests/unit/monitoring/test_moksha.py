"""The socket: a real subscriber reads it."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq
from pydantic import ValidationError

from hub.interfaces import ExporterContext
from hub.monitoring.moksha import MokshaConfig, MokshaMonitor
from tests.support import free_port, wait_until
from tests.unit.monitoring.snapshots import snapshot


@contextmanager
def exporter(bind: str, **settings: str) -> Iterator[MokshaMonitor]:
    log: logging.LoggerAdapter[logging.Logger] = logging.LoggerAdapter(logging.getLogger("test"), {})
    made = MokshaMonitor(ExporterContext("moksha", MokshaConfig(bind=bind, **settings), 5.0, log))
    try:
        yield made
    finally:
        made.close()


def heard(made: MokshaMonitor, bind: str) -> Any:
    """Publish until a subscriber has a frame: a subscription takes its time."""
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.linger = 0
        subscriber.setsockopt(zmq.SUBSCRIBE, b"")
        subscriber.connect(bind)

        def came() -> bool:
            made.export(snapshot())
            return bool(subscriber.poll(50))

        wait_until(came, 10, "a frame")
        (frame,) = subscriber.recv_multipart()
        return json.loads(frame)


def test_one_frame_of_json_over_tcp() -> None:
    bind = f"tcp://127.0.0.1:{free_port()}"
    with exporter(bind) as made:
        assert heard(made, bind)["consumers"][0]["backlog"] == 544


def test_a_unix_socket_has_its_permissions_and_goes_with_the_exporter(tmp_path: Path) -> None:
    path = tmp_path / "monitoring-fedmsg-hub.socket"
    with exporter(f"ipc://{path}", mode="0606") as made:
        assert heard(made, f"ipc:///{path}")["consumers"][0]["name"] == "slow"
        assert path.stat().st_mode & 0o777 == 0o606
    assert not path.exists()


def test_the_socket_of_a_dead_hub_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with exporter(f"ipc://{path}") as made:
        assert heard(made, f"ipc://{path}")["consumers"][0]["backlog"] == 544


def test_neither_a_file_nor_the_socket_of_another_hub_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    path.write_text("precious")
    with exporter(f"ipc://{path}") as second:
        with pytest.raises(OSError, match="is not a socket"):
            second.export(snapshot())
        assert path.read_text() == "precious"
        path.unlink()
        with exporter(f"ipc://{path}") as first:
            first.export(snapshot())
            with pytest.raises(OSError, match="another process listens"):
                second.export(snapshot())
            assert heard(first, f"ipc://{path}")
        second.export(snapshot())


def test_an_address_in_use_is_an_error_and_is_tried_again() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        bind = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        with exporter(bind) as made:
            for _ in range(2):
                with pytest.raises(OSError, match=f"^bind: {bind} can't be bound: Address already in use"):
                    made.export(snapshot())
            other.close()
            assert heard(made, bind)


@pytest.mark.parametrize(
    "bind",
    [
        "",
        "ipc://relative",
        "ipc:///a\nb",
        "ipc:///" + "x" * 107,
        "inproc://x",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65536",
        "tcp://[::1:9",
    ],
)
def test_what_can_not_be_bound_is_found_by_the_check(bind: str) -> None:
    with pytest.raises(ValidationError):
        MokshaConfig(bind=bind)


@pytest.mark.parametrize("bind", ["tcp://127.0.0.1:1", "tcp://[::1]:65535", "tcp://*:9", "ipc:///run/x.socket"])
def test_what_can_be_bound_is_taken(bind: str) -> None:
    assert MokshaConfig(bind=bind).bind == bind
