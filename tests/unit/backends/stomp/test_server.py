"""The server as a backend of the hub: ports, reloads, numbers, and what a child process lets go of."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.backends.stomp.login import write_user
from hub.backends.stomp.server import StompServer
from hub.backends.stomp.settings import Config
from hub.errors import CannotPublish, ConfigError, Unavailable
from hub.message import Message
from tests.support import free_port
from tests.system.server import listens
from tests.unit.backends.stomp.job_bench import JobBench
from tests.unit.backends.support import REACTOR, Recorder, hub_context, stop, turn_until

Start = Callable[..., StompServer]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts servers, each on a port of its own unless told otherwise."""
    started: list[StompServer] = []

    def make(**settings: Any) -> StompServer:
        server = StompServer(hub_context(configured(**({"listen": [f"127.0.0.1:{free_port()}"]} | settings))))
        server.start(Recorder())
        started.append(server)
        return server

    yield make
    for server in started:
        stop(server)


def configured(**settings: Any) -> Config:
    """The settings as from a file: paths are text."""
    return Config(**settings)


def address(server: StompServer) -> tuple[str, int]:
    host, _, port = server.status()["endpoints"][0]["endpoint"].rpartition(":")
    return host, int(port)


def converse(server: StompServer, *frames: bytes) -> bytes:
    """What the server says to a client that sends these frames, until there are as many answers."""
    with socket.create_connection(address(server)) as client:
        client.setblocking(False)
        answer = b""

        def answered() -> bool:
            nonlocal answer
            try:
                data = client.recv(65536)
            except BlockingIOError:
                return False
            answer += data
            return not data or answer.count(b"\0") >= len(frames)

        client.sendall(b"".join(frame + b"\n\n\0" for frame in frames))
        turn_until(answered, "the answers")
    return answer


def test_a_port_in_use_is_named_and_nothing_of_it_listens(start: Start) -> None:
    port, free = address(start())[1], free_port()
    server = StompServer(hub_context(configured(listen=[f"127.0.0.1:{free}", f"127.0.0.1:{port}"])))
    with pytest.raises(Unavailable, match=str(port)):
        server.start(Recorder())
    turn_until(lambda: not listens(free), "the other port to be closed")
    assert server.status()["state"] == "stopped"


@pytest.fixture
def jobs() -> Iterator[JobBench]:
    bench = JobBench()
    yield bench
    bench.end()


def test_a_server_that_does_not_start_leaves_nothing_that_inserts_jobs(start: Start, jobs: JobBench) -> None:
    taken = address(start())[1]
    config = configured(listen=[f"127.0.0.1:{taken}"], queues={"new": {"jobs": "other"}})
    server = StompServer(replace(hub_context(config), jobs=jobs.queues))
    with pytest.raises(Unavailable, match=str(taken)):
        server.start(Recorder())
    assert jobs.queues._inserters == {}


def test_a_queue_that_the_hub_has_does_not_become_one_of_jobs() -> None:
    context = hub_context(configured(queues={"old": {"jobs": True}}))
    context.queues.declare("old", durable=True)
    with pytest.raises(ConfigError, match="is a queue of jobs now, and the hub has its queue"):
        StompServer(context).start(Recorder())


def test_a_unix_socket_is_an_address_too(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "stomp.sock"
    server = start(listen=[f"unix:{path}"])
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        turn_until(lambda: server.status()["peers"] == 1, "the connection")


@pytest.mark.parametrize(
    ("limit", "refusal"),
    [
        ("max_connections_per_address", b"there are 2 connections from 127.0.0.1: no more are accepted"),
        ("max_connections", b"there are 2 connections: no more are accepted"),
    ],
)
def test_the_limits_of_connections_hold_over_all_ports(start: Start, limit: str, refusal: bytes) -> None:
    ports = [free_port(), free_port()]
    server = start(listen=[f"127.0.0.1:{port}" for port in ports], **{limit: 2})

    def is_open(number: int) -> bool:
        return bool(server.status()["peers"] == number)

    first = socket.create_connection(("127.0.0.1", ports[0]))
    with first, socket.create_connection(("127.0.0.1", ports[1])):
        turn_until(lambda: is_open(2), "both connections")
        assert refusal in converse(server, b"CONNECT")
        assert server.status()["disconnected"] == {"refuse": 1}
        turn_until(lambda: is_open(2), "the end of the refused one")
        first.close()
        turn_until(lambda: is_open(1), "room")
        assert b"CONNECTED" in converse(server, b"CONNECT")


@pytest.fixture(scope="module")
def pool() -> Iterator[None]:
    """The threads of a reactor that does not run. They can be started once."""
    threads = REACTOR.getThreadPool()
    threads.start()
    yield
    threads.stop()


@pytest.mark.usefixtures("pool")
def test_users_rights_and_credit_change_without_a_restart(start: Start, tmp_path: Path) -> None:
    users = tmp_path / "users"
    write_user(users, "alice", "one")
    port = free_port()
    server = start(listen=[f"127.0.0.1:{port}"])
    assert b"CONNECTED" in converse(server, b"CONNECT")
    new = configured(
        listen=[f"127.0.0.1:{port}"], users_file=str(users), rights={"alice": {"read": ["/topic/#"]}}, prefetch=5
    )
    assert server.reconfigure(new)
    assert b"login and passcode are required" in converse(server, b"CONNECT")
    alice = b"CONNECT\nlogin:alice\npasscode:one"
    assert b"CONNECTED" in converse(server, alice)
    assert b"may not send" in converse(server, alice, b"SEND\ndestination:/queue/a")


@pytest.mark.usefixtures("pool")
def test_users_change_with_their_file(start: Start, tmp_path: Path) -> None:
    users = tmp_path / "users"
    write_user(users, "alice", "one")
    server = start(users_file=str(users))
    alice, ben = b"CONNECT\nlogin:alice\npasscode:one", b"CONNECT\nlogin:ben\npasscode:two"
    assert b"CONNECTED" in converse(server, alice)
    assert b"wrong" in converse(server, ben)
    write_user(users, "ben", "two")
    assert b"CONNECTED" in converse(server, ben)
    write_user(users, "alice", None)
    assert b"wrong" in converse(server, alice)


@pytest.mark.usefixtures("pool")
def test_frames_that_come_while_a_passcode_is_checked_are_handled_after_it(start: Start, tmp_path: Path) -> None:
    users = tmp_path / "users"
    write_user(users, "alice", "one")
    sends = b"SEND\nreceipt:1\ndestination:/topic/a", b"SEND\nreceipt:2\ndestination:/nowhere"
    server = start(users_file=str(users))
    refused = converse(server, b"CONNECT\nlogin:alice\npasscode:two", *sends)
    assert (refused.count(b"\0"), b"passcode is wrong" in refused, server.status()["received"]) == (1, True, 0)
    frames = converse(server, b"CONNECT\nlogin:alice\npasscode:one", *sends).split(b"\0")
    assert [frame.split(b"\n")[0] for frame in frames[:3]] == [b"CONNECTED", b"RECEIPT", b"ERROR"]
    assert (b"receipt-id:1" in frames[1], b"receipt-id:2" in frames[2]) == (True, True)


def test_a_reload_that_can_not_be_done_changes_nothing(start: Start, tmp_path: Path) -> None:
    server = start()
    host, port = address(server)
    with pytest.raises(ConfigError, match="no-file"):
        server.reconfigure(configured(listen=[f"{host}:{port}"], users_file=str(tmp_path / "no-file")))
    assert b"CONNECTED" in converse(server, b"CONNECT")
    assert not server.reconfigure(configured(listen=[f"{host}:{port}"], max_connections=5))
    assert not server.reconfigure(configured(listen=[f"{host}:{free_port()}"]))


def test_its_counts_are_those_of_all_clients_also_of_those_that_are_gone(start: Start) -> None:
    server = start()
    converse(server, b"CONNECT", b"SUBSCRIBE\nid:1\ndestination:/topic/a\nreceipt:r")
    converse(server, b"CONNECT", b"SEND\ndestination:/topic/a\nreceipt:r")
    converse(server, b"CONNECT", b"NOSUCH")
    turn_until(lambda: server.status()["peers"] == 0, "the clients to be gone")
    status = server.status()
    assert (status["received"], status["connections_accepted"], status["subscribers"]) == (1, 3, 0)
    assert (status["malformed"], status["errors"]) == ({"protocol": 1}, 1)


def test_a_child_process_lets_go_of_ports_and_connections(start: Start) -> None:
    server = start()
    with socket.create_connection(address(server)):
        turn_until(lambda: server.status()["peers"] == 1, "the connection")
        released: list[int] = []
        server.release(released.append)
    assert len(released) == 2
    assert all(os.fstat(descriptor) for descriptor in released)


def test_a_message_of_the_hub_goes_to_its_topic_or_into_a_queue(start: Start) -> None:
    intake, context = Recorder(), hub_context(configured(listen=[f"127.0.0.1:{free_port()}"]))
    server = StompServer(context)
    server.start(intake)
    safe = server.publish(Message("1", "a.b", b"x"))
    assert [(one.topic, one.backend, one.received_at) for one in intake.messages] == [("a.b", "bus", 1000.0)]
    assert not safe.called
    server.confirm(intake.tokens)
    assert safe.called
    server.publish(Message("2", "/queue/jobs", b"x"))
    queue = context.queues.get("jobs")
    assert queue is not None
    assert (len(intake.messages), queue.backlog, server.status()["received"]) == (1, 1, 2)
    for topic in ("/nowhere", "/queue/a b", "/topic/a", "/queue/DLQ.jobs", "/temp-queue/a"):
        with pytest.raises(CannotPublish):
            server.publish(Message("3", topic, b"x"))
    server.pause()
    with pytest.raises(Unavailable):
        server.publish(Message("4", "a.b", b"x"))
    stop(server)
