"""A ZeroMQ backend's connections: names, addresses, peers that come, go and misbehave."""

import contextlib
import socket as system
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from hub.backends.zeromq import ZeroMQ, monitored_socket, reader
from hub.errors import HubError, Unavailable
from tests.support import free_port
from tests.unit.backends.support import (
    Lines,
    Recorder,
    configured,
    hub_context,
    publisher,
    real_endpoint,
    running,
    subscribed,
    turn_for,
    turn_until,
)

ANY = "tcp://127.0.0.1:*"
TOPIC = b"org.test.topic"
GOOD = b'{"msg_id":"good"}'


def test_100_mib_are_dropped_and_counted_and_more_cuts_the_connection_which_comes_again() -> None:
    endpoint = f"tcp://127.0.0.1:{free_port()}"
    limits: dict[str, Any] = {"max_frame_size": "110MiB", "reconnect_interval_max": "200ms"}
    # Verbose, for the new connection may be taken in before the old one's end, and then nothing has changed.
    with (
        publisher(endpoint, bind=True, xpub_verboser=True) as bus,
        running(connect=[endpoint], **limits) as (backend, intake),
    ):
        subscribed(bus)
        bus.send_multipart([TOPIC, b" " * (100 << 20)])
        bus.send_multipart([TOPIC, GOOD])
        turn_until(lambda: intake.messages, "the good message", 30)
        assert backend.status()["malformed"] == {"oversize": 1}
        bus.send_multipart([TOPIC, b" " * (111 << 20)])
        turn_until(lambda: backend.status()["revivals"], "the connection to be made again")
        assert {subscribed(bus), subscribed(bus)} == {b"\x00", b"\x01"}
        bus.send_multipart([TOPIC, GOOD])
        turn_until(lambda: len(intake.messages) == 2, "the next good message")
        assert backend.status()["disconnects"] == 1
        assert backend.status()["state"] == "connected"


@pytest.mark.parametrize("name", ["tcp://[::1]:*", "ipc", "tcp://localhost:*", "tcp://*:*"])
def test_binds_ipv6_ipc_and_names(name: str, tmp_path: Path) -> None:
    endpoint = f"ipc://{tmp_path}/bus.sock" if name == "ipc" else name
    with running(bind=[endpoint]) as (backend, intake):
        for number, row in enumerate(backend.status()["endpoints"]):
            address = row["endpoint"].replace("[::]", "127.0.0.1")
            with publisher(address, ipv6=True) as bus:
                subscribed(bus)
                turn_until(lambda: backend.status()["endpoints"][number]["peers"] == 1, "the peer")  # noqa: B023
                bus.send_multipart([TOPIC, GOOD])
                turn_until(lambda: len(intake.messages) == number + 1, "a message")  # noqa: B023
            turn_until(lambda: backend.status()["peers"] == 0, "the peer to go")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", system.gethostname()])
def test_connects_by_name_to_a_peer_on_ipv4(host: str) -> None:
    port = free_port()
    with (
        publisher(f"tcp://0.0.0.0:{port}", bind=True) as bus,
        running(connect=[f"tcp://{host}:{port}"]) as (hub, intake),
    ):
        subscribed(bus)
        bus.send_multipart([TOPIC, GOOD])
        turn_until(lambda: intake.messages, "a message")
        assert hub.status()["state"] == "connected"


def test_connects_by_ipv6_and_again_when_the_publisher_comes_back() -> None:
    endpoint = f"tcp://[::1]:{free_port()}"
    with running(connect=[endpoint]) as (backend, intake):
        assert backend.status()["state"] == "connecting"
        for number in (1, 2):
            with publisher(endpoint, bind=True, ipv6=True) as bus:
                subscribed(bus)
                bus.send_multipart([TOPIC, GOOD])
                turn_until(lambda: len(intake.messages) == number, "a message")  # noqa: B023
                turn_until(lambda: backend.status()["state"] == "connected", "the state")
            turn_until(lambda: backend.status()["disconnects"] == number, "the disconnection")  # noqa: B023
        assert backend.status()["state"] == "connecting"


def test_an_address_in_use_is_a_sentence_and_leaves_nothing_open() -> None:
    with running(bind=[ANY]) as (backend, _):
        endpoint = real_endpoint(backend.status())
        second = ZeroMQ(hub_context(configured(bind=[endpoint])))
        with pytest.raises(Unavailable, match=r"can't be bound: Address already in use"):
            second.start(Recorder())


@pytest.mark.parametrize("endpoint", ["tcp://192.0.2.1:9999", "tcp://no-such-host.invalid:9999"])
def test_an_address_that_is_not_ours_can_not_be_bound(endpoint: str) -> None:
    with pytest.raises(HubError, match="can't be bound"):
        ZeroMQ(hub_context(configured(bind=[endpoint]))).start(Recorder())


def test_an_open_door_is_warned_of() -> None:
    lines = Lines()
    with running(bind=["tcp://*:*"], lines=lines):
        assert any("can be reached from other machines" in text for text in lines.texts)
    quiet = Lines()
    with running(bind=[ANY], lines=quiet):
        assert quiet.texts == []


def test_who_does_not_speak_zeromq_is_counted() -> None:
    with running(bind=[ANY]) as (backend, intake):
        port = int(real_endpoint(backend.status()).rpartition(":")[2])
        with system.create_connection(("127.0.0.1", port)):
            turn_for(0.1)
        turn_until(lambda: backend.status()["handshake_failures"] == 1, "the failure")
        with publisher(real_endpoint(backend.status())) as bus:
            subscribed(bus)
            bus.send_multipart([TOPIC, GOOD])
            turn_until(lambda: intake.messages, "a message")
        assert backend.status()["disconnects"] <= 1


def test_connections_are_log_lines() -> None:
    lines = Lines()
    with running(bind=[ANY], lines=lines) as (backend, _):
        with publisher(real_endpoint(backend.status())) as bus:
            subscribed(bus)
        turn_until(lambda: backend.status()["disconnects"] == 1, "the disconnection")
    assert [text.partition(":")[0] for text in lines.texts] == ["connected", "disconnected"]


def test_a_connection_is_not_ended_amid_a_message_of_too_many_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """ZeroMQ would end the process."""
    monkeypatch.setattr(reader, "FRAMES", 1)
    monkeypatch.setattr(monitored_socket, "LIMIT", 0)
    place = f"tcp://127.0.0.1:{free_port()}"
    with running(connect=[place], bind=[ANY], budget=1) as (backend, intake), publisher(place, bind=True) as bus:
        subscribed(bus)
        bus.send_multipart([TOPIC] * 60)
        turn_until(lambda: backend._reader is not None and backend._reader.surplus, "the first of its frames")
        assert backend.reconfigure(configured(bind=[ANY], budget=1))
        turn_until(lambda: backend.status()["malformed"] == {"frames": 1}, "the last of its frames")
        with publisher(real_endpoint(backend.status())) as other:
            subscribed(other)
            other.send_multipart([TOPIC, GOOD])
            turn_until(lambda: intake.messages, "the good message")
        assert len(backend.status()["endpoints"]) == 1


def test_a_publisher_that_was_away_for_long_is_tried_often_enough_to_be_heard_if_it_comes_briefly() -> None:
    attempts: list[float] = []
    with system.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)

        def attempted() -> bool:
            with contextlib.suppress(BlockingIOError):
                peer, _ = listener.accept()
                peer.close()  # as good as nobody there: ZeroMQ waits longer each time
                attempts.append(time.monotonic())
            return len(attempts) >= 8

        with running(connect=[f"tcp://127.0.0.1:{listener.getsockname()[1]}"]):
            turn_until(attempted, "eight attempts", 60)
    waits = [after - before for before, after in pairwise(attempts)]
    assert min(waits[-2:]) < 2.5, waits  # the machine may have made the other one longer
