"""The past of a topic, by STOMP from a real hub: frames on raw sockets, and stomp.py."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.backends.stomp.frame import Frame
from tests.support import wait_until
from tests.system.stomp_socket import StompSocket
from tests.system.test_stomp_clients import LISTENER, run
from tests.system.test_stomp_server import StompHub

pytestmark = pytest.mark.system

HISTORY = """
[hub]
keep = "1h"
[consumers.log]
type = "log"
topics = ["org.example.#"]
"""

STOMP_PY = (
    LISTENER
    + """
port, offset, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
client = stomp.Connection12([("127.0.0.1", port)], heartbeats=(10000, 10000))
client.set_listener("", Listener())
client.connect("guest", "guest", wait=True)
client.subscribe("/topic/org.example.#", "1", ack="auto", headers={"x-stream-offset": offset})
for _ in range(count):
    frame = found.get(timeout=20)
    print(frame.body, frame.headers["x-stream-offset"])
client.disconnect()
"""
)


class KeepingHub(StompHub):
    """A hub that keeps history."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, rest=HISTORY)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[StompHub]:
    with KeepingHub(tmp_path) as hub:
        yield hub


def publish(client: StompSocket, bodies: range, topic: str = "org.example.a") -> None:
    """The last one with a receipt from the disk."""
    for body in bodies[:-1]:
        client.send("SEND", b"%d" % body, destination=f"/topic/{topic}")
    client.receipt("SEND", b"%d" % bodies[-1], destination=f"/topic/{topic}", persistent="true")


def subscribe(client: StompSocket, offset: object, **headers: str) -> None:
    client.receipt("SUBSCRIBE", id="s", destination="/topic/org.example.#", x_stream_offset=str(offset), **headers)


def hub_has(hub: StompHub, count: int) -> None:
    """Wait until it has received so many messages."""
    wait_until(lambda: hub.status()["hub"]["received"] > count)


def offset_of(frame: Frame) -> int:
    return int(frame.headers["x-stream-offset"])


def test_the_past_then_the_present_and_again_from_a_number_after_a_restart(tmp_path: Path) -> None:
    with KeepingHub(tmp_path) as hub, hub.connect() as publisher, hub.connect() as reader:
        publish(publisher, range(5))
        publish(publisher, range(100, 103), "org.other")
        subscribe(reader, "first")
        found = reader.messages(5)
        publish(publisher, range(5, 8))
        found += reader.messages(3)
        assert [int(frame.body) for frame in found] == [*range(8)]
        assert [*map(offset_of, found)] == sorted({*map(offset_of, found)})
        assert reader.rest() == []
        assert hub.stop() == 0
    with KeepingHub(tmp_path) as hub, hub.connect() as publisher, hub.connect() as reader:
        publish(publisher, range(8, 10))
        subscribe(reader, offset_of(found[2]) + 1)
        assert [int(frame.body) for frame in reader.messages(7)] == [*range(3, 10)]
        with hub.connect() as refused:
            refused.send("SUBSCRIBE", id="s", destination="/topic/x", x_stream_offset="999000000")
            assert "is beyond the end of the log" in refused.wait("ERROR").headers["message"]


def test_none_is_missing_and_none_is_twice_while_messages_flow(hub: StompHub) -> None:
    """Six readers come while two thousand messages do; one of them reads with acks."""
    total = 2000

    def flow() -> None:
        with hub.connect() as publisher:
            for start in range(0, total, 10):
                publish(publisher, range(start, start + 10))

    thread = threading.Thread(target=flow)
    thread.start()
    readers = [hub.connect() for _ in range(6)]
    for number, reader in enumerate(readers):
        hub_has(hub, 100 * number)
        subscribe(reader, "first", **({"ack": "client", "prefetch_count": "20"} if number == 2 else {}))
    for number, reader in enumerate(readers):
        found: list[Frame] = []
        while len(found) < total:
            found.append(reader.wait("MESSAGE"))
            if number == 2 and len(found) % 10 == 0:
                reader.send("ACK", id=found[-1].headers["ack"])
        assert [int(frame.body) for frame in found] == [*range(total)]
        assert reader.rest(0.05) == []
    thread.join()
    middle = offset_of(found[total // 2])
    with hub.connect() as resumed:
        subscribe(resumed, middle)
        assert [int(frame.body) for frame in resumed.messages(total // 2)] == [*range(total // 2, total)]
    for reader in readers:
        reader.socket.close()


def test_a_slow_reader_costs_no_memory_and_loses_nothing(hub: StompHub) -> None:
    count, body = 400, b"x" * 100_000
    with hub.connect() as publisher, hub.connect() as reader:
        for number in range(count):
            publisher.send("SEND", b"%06d" % number + body, destination="/topic/org.example.a")
        publisher.receipt("SEND", b"%06d" % count, destination="/topic/org.example.a", persistent="true")
        before = hub.status()["hub"]["resident_bytes"]
        subscribe(reader, "first")
        wait_until(lambda: hub.backend()["unread_bytes"] > 0)
        assert hub.status()["hub"]["resident_bytes"] - before < 20 << 20
        found = reader.messages(count + 1)
        assert [int(frame.body[:6]) for frame in found] == [*range(count + 1)]


def test_unsubscribe_in_the_middle(hub: StompHub) -> None:
    with hub.connect() as client:
        publish(client, range(1000))
        subscribe(client, "first", ack="client-individual", prefetch_count="5")
        client.messages(5)
        client.receipt("UNSUBSCRIBE", id="s")
        publish(client, range(1))
        assert [frame for frame in client.rest() if frame.command == "MESSAGE"] == []
        assert hub.backend()["subscribers"] == 0


def test_stomp_py_reads_the_past(hub: StompHub, tmp_path: Path) -> None:
    with hub.connect() as publisher:
        publish(publisher, range(3))
        first = run(tmp_path, "client.py", STOMP_PY, sys.executable, str(hub.port), "first", "3")
        assert [line.partition(" ")[0] for line in first] == ["0", "1", "2"]
        second = first[1].partition(" ")[2]
        assert run(tmp_path, "client.py", STOMP_PY, sys.executable, str(hub.port), second, "2") == first[1:]
        assert run(tmp_path, "client.py", STOMP_PY, sys.executable, str(hub.port), "last", "1") == first[2:]


def test_a_hub_without_history_says_so(tmp_path: Path) -> None:
    with StompHub(tmp_path) as hub, hub.connect() as client:
        client.send("SUBSCRIBE", id="s", destination="/topic/x", x_stream_offset="first")
        assert "keeps no history" in client.wait("ERROR").headers["message"]
