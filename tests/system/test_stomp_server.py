"""The STOMP server in a real hub, by frames on raw sockets."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

from tests.certificates import Authority
from tests.support import PATIENCE, free_port, wait_until
from tests.system.hubs import HUBBUB, RunningHub
from tests.system.stomp_socket import StompSocket

pytestmark = pytest.mark.system

STOMP = """
[backends.stomp]
type = "stomp-server"
listen = ["127.0.0.1:{port}", "unix:{directory}/stomp.sock"]
{more}
"""


class StompHub(RunningHub):
    """A hub with a STOMP server. :param more: settings of the server. :param rest: of the hub."""

    def __init__(self, directory: Path, more: str = "", rest: str = "", **arguments: Any) -> None:
        self.port = free_port()
        configuration = STOMP.format(port=self.port, directory=directory, more=more) + rest
        super().__init__(directory, configuration, **arguments)

    def connect(self, version: str = "1.2", **headers: str) -> StompSocket:
        return StompSocket(self.port, version, True, **headers)

    def backend(self) -> dict[str, Any]:
        row: dict[str, Any] = self.status()["backends"]["stomp"]
        return row


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[StompHub]:
    with StompHub(tmp_path) as hub:
        yield hub


def test_a_queue_is_shared_acked_and_seen_in_the_status(hub: StompHub) -> None:
    with hub.connect() as sender, hub.connect() as one, hub.connect("1.1") as other:
        for number in range(10):
            sender.send("SEND", b"%d" % number, destination="/queue/jobs")
        sender.receipt("SEND", b"10", destination="/queue/jobs")
        row = hub.consumer("jobs")
        assert (row["backlog"], row["durable"], row["type"], row["drained_by"]) == (11, True, "stomp-server", "nobody")
        one.receipt("SUBSCRIBE", id="1", destination="/queue/jobs", ack="client-individual", prefetch_count="3")
        mine = one.messages(3)
        assert one.rest() == []
        one.send("ACK", id=mine[1].headers["ack"])
        mine += one.messages(1)
        other.receipt("SUBSCRIBE", id="x", destination="/queue/jobs", ack="auto")
        others = other.messages(7)
        assert [int(frame.body) for frame in mine + others] == list(range(11))
        one.socket.close()
        back = other.messages(3)
        assert [(frame.body, frame.headers["redelivered"]) for frame in back] == [
            (b"0", "true"),
            (b"2", "true"),
            (b"3", "true"),
        ]
        wait_until(lambda: hub.consumer("jobs")["backlog"] == 0)
    assert hub.backend()["delivered"] == 14


def test_topics_are_those_of_other_buses_and_of_consumers(tmp_path: Path) -> None:
    port, publishing = free_port(), free_port()
    rest = f"""
[backends.bus]
type = "zeromq"
format = "raw"
bind = ["tcp://127.0.0.1:{port}"]
publish_bind = ["tcp://127.0.0.1:{publishing}"]
[consumers.log]
type = "log"
topics = ["org.example.#"]
"""
    with StompHub(tmp_path, rest=rest) as hub, hub.connect() as client:
        client.receipt("SUBSCRIBE", id="1", destination="/topic/org.example.*")
        context: Any = zmq.Context()
        try:
            bus = context.socket(zmq.XPUB)
            bus.connect(f"tcp://127.0.0.1:{port}")
            assert bus.poll(20_000 * PATIENCE)
            bus.send_multipart([b"org.example.one", b"from ZeroMQ"])
            found = client.wait("MESSAGE")
        finally:
            context.destroy(linger=0)
        assert (found.headers["destination"], found.body) == ("/topic/org.example.one", b"from ZeroMQ")
        client.receipt("SEND", b"from STOMP", destination="/topic/org.example.two", persistent="true")
        assert client.wait("MESSAGE").body == b"from STOMP"
        hub.wait_for("log", "finished", 2)
        queues = [name for name in hub.status()["consumers"] if name.startswith("stomp-")]
        assert len(queues) == 1
        client.receipt("UNSUBSCRIBE", id="1")
        assert [name for name in hub.status()["consumers"] if name.startswith("stomp-")] == []


def test_durable_subscriptions_and_queues_outlive_the_hub(tmp_path: Path) -> None:
    with StompHub(tmp_path) as hub:
        with hub.connect(client_id="reader") as client:
            client.receipt("SUBSCRIBE", id="1", destination="/topic/news.#", activemq__subscriptionName="mine")
            client.receipt("DISCONNECT")
        with hub.connect() as client:
            client.receipt("SEND", b"while away", destination="/topic/news.x", persistent="true")
            client.receipt("SEND", b"job", destination="/queue/jobs")
        assert hub.stop() == 0
        with hub, hub.connect(client_id="reader") as client:
            client.receipt("SUBSCRIBE", id="2", destination="/queue/jobs")
            assert client.wait("MESSAGE").body == b"job"
            client.receipt("SUBSCRIBE", id="1", destination="/topic/news.#", activemq__subscriptionName="mine")
            assert client.wait("MESSAGE").body == b"while away"


def test_a_killed_hub_loses_nothing_that_it_gave_a_receipt_for(tmp_path: Path) -> None:
    """And what a client acked before the last commits is not given again; order is kept."""
    receipted: list[int] = []
    number = 0
    with StompHub(tmp_path) as hub:
        for _ in range(5):
            before = len(receipted)
            with hub.connect() as client:
                for _ in range(40):
                    client.socket.sendall(
                        b"".join(
                            client.encoded("SEND", b"%d" % n, destination="/queue/jobs", receipt=str(n))
                            for n in range(number, number + 25)
                        )
                    )
                    number += 25
                    receipted += [int(frame.headers["receipt-id"]) for frame in client.rest(0.005)]
                while len(receipted) == before:
                    receipted += [int(frame.headers["receipt-id"]) for frame in client.rest(0.1)]
                hub.process.send_signal(signal.SIGKILL)
                hub.process.wait()
                receipted += [int(frame.headers["receipt-id"]) for frame in client.rest(5)]
            hub.__enter__()
        with hub.connect() as client:
            client.receipt("SUBSCRIBE", id="1", destination="/queue/jobs", ack="client")
            found: list[int] = []
            backlog = hub.consumer("jobs")["backlog"]
            while len(found) < backlog:
                frame = client.wait("MESSAGE")
                found.append(int(frame.body))
                if len(found) % 100 == 0:
                    client.send("ACK", id=frame.headers["ack"])
    assert len(receipted) >= 5
    assert set(receipted) <= set(found)
    assert found == sorted(set(found))


def test_transactions_nacks_and_dead_letters(hub: StompHub) -> None:
    with hub.connect() as client:
        client.send("BEGIN", transaction="t")
        client.receipt("SEND", b"good", destination="/queue/jobs", transaction="t")
        client.receipt("SEND", b"bad", destination="/queue/jobs", transaction="t")
        client.send("SUBSCRIBE", id="1", destination="/queue/jobs", ack="client-individual")
        assert client.rest() == []
        client.receipt("COMMIT", transaction="t")
        good, bad = client.messages(2)
        client.send("ACK", id=good.headers["ack"])
        client.receipt("NACK", id=bad.headers["ack"], requeue="false")
        wait_until(lambda: hub.consumer("jobs")["dead"] == 1)
        client.send("SUBSCRIBE", id="2", destination="/queue/DLQ.jobs", ack="client-individual")
        letter = client.wait("MESSAGE")
        assert (letter.body, letter.headers["original-destination"]) == (b"bad", "/queue/jobs")
        client.receipt("ACK", id=letter.headers["ack"])
        wait_until(lambda: hub.consumer("jobs")["dead_letters"] == 0)


def test_an_operator_pauses_and_deletes_a_queue(hub: StompHub) -> None:
    with hub.connect() as client, hub.connect() as other:
        client.receipt("SEND", b"x", destination="/queue/jobs")
        hub.command("queue", "pause", "jobs")
        client.receipt("SUBSCRIBE", id="1", destination="/queue/jobs", ack="client-individual")
        assert client.rest() == []
        hub.command("queue", "resume", "jobs")
        assert client.wait("MESSAGE").body == b"x"
        hub.command("queue", "delete", "jobs", "--yes")
        assert "/queue/jobs was deleted" in client.wait("ERROR").headers["message"]
        assert client.closed()
        other.receipt("SEND", b"y", destination="/queue/jobs")
        assert hub.consumer("jobs")["backlog"] == 1


def test_users_have_passcodes_and_rights(tmp_path: Path) -> None:
    command = [str(HUBBUB), "stomp", "passwd", str(tmp_path / "users"), "alice"]
    subprocess.run(command, input="one\n", text=True, check=True)
    more = 'users_file = "users"\n[backends.stomp.rights.alice]\nwrite = ["/queue/*"]\n'
    with StompHub(tmp_path, more) as hub:
        with hub.connect(login="alice", passcode="one") as client:
            client.receipt("SEND", b"x", destination="/queue/jobs")
            client.send("SUBSCRIBE", id="1", destination="/queue/jobs", receipt="no")
            error = client.wait("ERROR")
            assert error.headers["receipt-id"] == "no"
            assert "user 'alice' may not subscribe to /queue/jobs" in error.headers["message"]
            assert client.closed()
        with StompSocket(hub.port, "1.2", False) as client:
            client.send("CONNECT", accept_version="1.2", login="alice", passcode="two")
            assert "wrong" in client.wait("ERROR").headers["message"]
        assert hub.backend()["logins_refused"] == 1


def test_a_certificate_is_a_login(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    server, carol = authority.sign("server", "127.0.0.1"), authority.sign("carol")
    more = f"""
tls_certificate_file = "{server.file}"
tls_key_file = "{server.key}"
tls_client_ca_file = "{authority.file}"
[backends.stomp.rights.carol]
write = ["/queue/*"]
"""
    with StompHub(tmp_path, more) as hub:
        context = ssl.create_default_context(cafile=str(authority.file))
        context.load_cert_chain(carol.file, carol.key)
        with StompSocket(hub.port, "1.2", False) as client:
            client.socket = context.wrap_socket(client.socket, server_hostname="127.0.0.1")
            client.send("CONNECT", accept_version="1.2")
            assert client.wait().command == "CONNECTED"
            client.receipt("SEND", b"x", destination="/queue/jobs")
            client.send("SEND", b"x", destination="/topic/jobs")
            assert "user 'carol' may not send to /topic/jobs" in client.wait("ERROR").headers["message"]


def test_a_unix_socket_takes_clients_and_goes_with_the_hub(tmp_path: Path) -> None:
    with StompHub(tmp_path) as hub:
        with StompSocket(tmp_path / "stomp.sock") as client:
            client.receipt("SEND", b"x", destination="/queue/jobs")
        assert hub.stop() == 0
    assert not (tmp_path / "stomp.sock").exists()


def test_a_reload_keeps_connections_and_a_stop_ends_them_in_order(hub: StompHub) -> None:
    with hub.connect() as client:
        client.receipt("SUBSCRIBE", id="1", destination="/topic/a")
        hub.file.write_text(hub.file.read_text() + "prefetch = 7\n")
        hub.command("reload")
        client.receipt("SEND", b"x", destination="/topic/a")
        assert client.wait("MESSAGE").body == b"x"
        assert hub.stop() == 0
        assert client.closed()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", hub.port)) != 0


def test_a_full_store_holds_sends_and_not_acks(tmp_path: Path) -> None:
    more = 'queue_backlog = 3\nqueue_overflow = "block"'
    with StompHub(tmp_path, more) as hub, hub.connect() as client:
        client.receipt("SUBSCRIBE", id="1", destination="/queue/jobs", ack="client-individual", prefetch_count="10")
        for number in range(4):
            client.send("SEND", b"%d" % number, destination="/queue/jobs")
        found = client.messages(4)
        wait_until(lambda: hub.backend()["state"] == "paused")
        client.send("SEND", b"waits", destination="/queue/jobs", receipt="late")
        assert client.rest() == []
        for frame in found:
            client.send("ACK", id=frame.headers["ack"])
        assert client.wait("RECEIPT").headers["receipt-id"] == "late"
        assert client.wait("MESSAGE").body == b"waits"


def test_a_client_that_never_reads_is_dropped_and_its_messages_go_to_others(tmp_path: Path) -> None:
    with StompHub(tmp_path, 'read_timeout = "500ms"\nprefetch_size = "64MiB"\n') as hub:
        with hub.connect() as sender, hub.connect() as lazy:
            lazy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            lazy.receipt("SUBSCRIBE", id="1", destination="/queue/jobs", ack="client", prefetch_count="10000")
            for number in range(1000):
                sender.send("SEND", b"%04d" % number + b"x" * 10_000, destination="/queue/jobs")
            sender.receipt("SEND", b"last", destination="/queue/jobs")
            wait_until(lambda: hub.backend()["disconnected"].get("stuck") == 1, 60, "the client to be dropped")
            # Little waits for this one at any time, so it reads in time, however late it is given the processor.
            more = {"ack": "client-individual", "prefetch_count": "5"}
            sender.receipt("SUBSCRIBE", id="1", destination="/queue/jobs", **more)
            found = []
            for _ in range(1001):
                found += sender.messages(1)
                sender.send("ACK", id=found[-1].headers["ack"])
        assert [frame.body[:4] for frame in found] == [*(b"%04d" % number for number in range(1000)), b"last"]
        marks = ["redelivered" in frame.headers for frame in found]
        assert marks == sorted(marks, reverse=True)
        assert 0 < marks.count(True) < 1000
