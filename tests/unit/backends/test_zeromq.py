"""The backend over real sockets, with a real reactor that is turned by hand."""

import os
import socket as system
from pathlib import Path
from typing import Any

import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backends.zeromq import ZeroMQ
from hub.errors import CannotPublish, HubError, Unavailable
from hub.message import Message
from tests.support import free_port
from tests.unit.backends.support import (
    REACTOR,
    Lines,
    Recorder,
    configured,
    hub_context,
    publisher,
    real_endpoint,
    running,
    stop,
    subscribed,
    turn_for,
    turn_until,
)

ANY = "tcp://127.0.0.1:*"
TOPIC = b"org.test.topic"
GOOD = b'{"msg_id":"good"}'


def test_what_is_sent_arrives_whole_and_in_order() -> None:
    with running(bind=[ANY]) as (backend, intake), publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        bodies = [b'{"n":%d}' % number for number in range(5000)]
        for body in bodies:
            bus.send_multipart([TOPIC, body])
        turn_until(lambda: len(intake.messages) == 5000, "5000 messages")
        assert intake.bodies == bodies
        status = backend.status()
        assert status["state"] == "listening"
        assert status["received"] == 5000
        assert status["bytes"] == sum(map(len, bodies)) + 5000 * len(TOPIC)
        assert status["peers"] == 1
        assert {message.received_at for message in intake.messages} == {1000.0}
        assert len({message.id for message in intake.messages}) == 5000


def test_one_turn_takes_no_more_than_its_budget_and_other_work_gets_its_turn() -> None:
    with running(bind=[ANY], budget=10) as (backend, intake), publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        seen: list[int] = []
        for _ in range(200):
            bus.send_multipart([TOPIC, b"{}"])

        def other_work() -> None:
            seen.append(len(intake.messages))
            if seen[-1] < 200:
                REACTOR.callLater(0, other_work)

        REACTOR.callLater(0, other_work)
        turn_until(lambda: len(intake.messages) == 200, "200 messages")
        assert max(map(len, intake.batches)) <= 10
        assert len(set(seen)) > 10


@pytest.mark.parametrize("frames", [0, 1, 3, 9])
def test_a_wrong_number_of_frames_is_counted_and_the_next_message_is_fine(frames: int) -> None:
    with running(bind=[ANY]) as (backend, intake), publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        bus.send_multipart([TOPIC] * frames or [b""])
        bus.send_multipart([TOPIC, GOOD])
        turn_until(lambda: intake.messages, "the good message")
        assert intake.bodies == [GOOD]
        assert backend.status()["malformed"] == {"frames": 1}


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


FRAMES = st.lists(
    st.binary(max_size=20) | st.sampled_from([TOPIC, GOOD, b"null", b"[]", b"\xff"]), min_size=1, max_size=9
)


def test_any_frames_at_all() -> None:
    lines = Lines()
    with running(bind=[ANY], lines=lines) as (backend, intake), publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(FRAMES, max_size=5))
        def send(batch: list[list[bytes]]) -> None:
            before = backend.status()
            for frames in [*batch, [TOPIC, GOOD]]:
                bus.send_multipart(frames)
            total = len(batch) + 1

            def counted() -> int:
                now = backend.status()
                received = now["received"] - before["received"]
                return int(received + sum(now["malformed"].values()) - sum(before["malformed"].values()))

            turn_until(lambda: counted() == total, "every message to be counted")
            assert intake.bodies[-1] == GOOD

        send()
        assert len(lines.texts) < 20
        assert "Traceback" not in "".join(lines.texts)


def test_subscribes_to_no_more_than_is_wanted_and_new_before_old() -> None:
    with running("a.#", "b.c", bind=[ANY]) as (backend, _), publisher(real_endpoint(backend.status())) as bus:
        assert {subscribed(bus), subscribed(bus)} == {b"\x01a", b"\x01b.c"}
        assert backend.status()["subscriptions"] == ["a", "b.c"]
        backend.subscribe(["a.b", "b.c", "b.c.*"])
        assert [subscribed(bus), subscribed(bus)] == [b"\x01a.b", b"\x00a"]
        assert backend.status()["subscriptions"] == ["a.b", "b.c"]


def test_hears_on_after_each_change_of_the_subscription() -> None:
    with running("a", bind=[ANY]) as (backend, intake), publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        for number in range(50):
            bus.send_multipart([b"a", GOOD])
            backend.subscribe(["a", f"b{number}"])
        turn_until(lambda: len(intake.messages) == 50, "50 messages")


def test_a_pause_holds_and_a_resume_delivers() -> None:
    with running(bind=[ANY]) as (backend, intake), publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        backend.pause()
        bus.send_multipart([TOPIC, GOOD])
        turn_for(0.2)
        assert intake.messages == []
        assert backend.status()["state"] == "paused"
        with publisher(real_endpoint(backend.status())) as newcomer:
            assert subscribed(newcomer) == b"\x01"
            newcomer.send_multipart([TOPIC, GOOD])
            turn_for(0.1)
            backend.resume()
            turn_until(lambda: len(intake.messages) == 2, "both messages")


def test_while_paused_no_more_than_the_high_water_is_held() -> None:
    with running(bind=[f"ipc://@hubbub-test-{os.getpid()}"], receive_high_water=100) as (backend, intake):
        with publisher(real_endpoint(backend.status()), sndhwm=100) as bus:
            subscribed(bus)
            backend.pause()
            for number in range(20_000):
                bus.send_multipart([TOPIC, b'{"pad":"%s","n":%d}' % (b"x" * 1000, number)])
            turn_for(0.3)
            backend.resume()
            turn_until(lambda: intake.messages, "the held messages")
            turn_for(0.3)
        assert len(intake.messages) < 5000


def test_a_stop_hands_over_what_the_socket_holds() -> None:
    backend, intake = ZeroMQ(hub_context(configured(bind=[ANY], budget=50))), Recorder()
    backend.subscribe(["#"])
    backend.start(intake)
    with publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        backend.pause()
        for _ in range(500):
            bus.send_multipart([TOPIC, GOOD])
        turn_for(0.3)
        backend.resume()
        stop(backend)
    assert len(intake.messages) == 500
    assert backend.status()["state"] == "stopped"
    stop(backend)


def test_a_paused_stop_counts_what_it_can_not_hand_over() -> None:
    backend, intake = ZeroMQ(hub_context(configured(bind=[ANY]))), Recorder()
    backend.subscribe(["#"])
    backend.start(intake)
    with publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        backend.pause()
        for _ in range(30):
            bus.send_multipart([TOPIC, GOOD])
        turn_for(0.3)
        stop(backend)
    assert intake.messages == []
    assert backend.status()["unread"] == 30


def test_nothing_is_left_open() -> None:
    def once() -> None:
        with running(bind=[ANY], publish_bind=[ANY]) as (backend, _), publisher(real_endpoint(backend.status())) as bus:
            subscribed(bus)

    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))

    once()
    before = held()
    for _ in range(5):
        once()
    turn_until(lambda: held() <= before, "descriptors and threads to be given back")
    assert "zeromq" not in {reader.logPrefix() for reader in REACTOR.getReaders() if hasattr(reader, "logPrefix")}


class Faulty(Recorder):
    """An intake with a fault."""

    def receive(self, messages: list[Message], tokens: Any = ()) -> None:
        if not self.batches:
            self.batches.append([])
            raise RuntimeError("a fault")
        super().receive(messages, tokens)


def test_a_fault_of_the_hub_does_not_make_it_deaf() -> None:
    lines, intake = Lines(), Faulty()
    backend = ZeroMQ(hub_context(configured(bind=[ANY]), lines))
    backend.subscribe(["#"])
    backend.start(intake)
    with publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        bus.send_multipart([TOPIC, GOOD])
        turn_until(lambda: backend.status()["lost"], "the fault")
        bus.send_multipart([TOPIC, GOOD])
        turn_until(lambda: intake.messages, "the next message")
        stop(backend)
    assert backend.status()["lost"] == 1
    assert any("a fault in the hub" in text for text in lines.texts)


def said(backend: ZeroMQ, body: bytes) -> bool:
    """Publish it once more."""
    backend.publish(Message("", "t", body))
    return True


def test_publishes_in_fedmsgs_envelope_and_goes_on_listening() -> None:
    with running(bind=[ANY], publish_bind=[ANY]) as (backend, intake):
        context: Any = zmq.Context()
        ear = context.socket(zmq.SUB)
        ear.subscribe(b"")
        ear.connect(real_endpoint(backend.status(), 1))
        try:
            turn_until(lambda: backend.status()["peers"] == 1, "the listener")
            turn_until(lambda: said(backend, b'{"a":1}') and ear.poll(10), "what was published")
            topic, body = ear.recv_multipart()
            assert topic == b"t"
            assert body.startswith(b'{"i":')
            assert b'"msg":{"a":1}' in body
            with publisher(real_endpoint(backend.status())) as bus:
                subscribed(bus)
                bus.send_multipart([TOPIC, GOOD])
                turn_until(lambda: intake.messages, "a message after a send")
            with pytest.raises(CannotPublish, match="JSON"):
                backend.publish(Message("", "t", b"no"))
            assert backend.status()["publish_failed"] == 1
        finally:
            context.destroy(linger=0)


def test_a_stop_sends_what_was_published() -> None:
    backend = ZeroMQ(hub_context(configured(publish_bind=[ANY], format="raw", linger=5)))
    backend.start(Recorder())
    context: Any = zmq.Context()
    ear = context.socket(zmq.SUB)
    ear.rcvhwm = 0
    ear.subscribe(b"")
    ear.connect(real_endpoint(backend.status()))
    try:
        turn_until(lambda: said(backend, b"first") and ear.poll(10), "the first message")
        for number in range(2000):
            backend.publish(Message("", "t", b"%d" % number))
        stop(backend)
        bodies: list[bytes] = []
        while ear.poll(1000) and bodies[-1:] != [b"1999"]:
            bodies.append(ear.recv_multipart()[1])
        assert [body for body in bodies if body != b"first"] == [b"%d" % number for number in range(2000)]
    finally:
        context.destroy(linger=0)


def test_without_a_place_to_publish_it_says_so() -> None:
    with running(bind=[ANY]) as (backend, _), pytest.raises(CannotPublish, match="neither publish_bind"):
        backend.publish(Message("", "t", b"{}"))


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


def test_gaps_show_in_the_status() -> None:
    with running(bind=[ANY]) as (backend, intake), publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        for number in (1, 2, 5):
            bus.send_multipart([TOPIC, b'{"seq_id":%d}' % number])
        turn_until(lambda: len(intake.messages) == 3, "three messages")
        assert backend.status()["gaps"] == 2


def test_connections_are_log_lines() -> None:
    lines = Lines()
    with running(bind=[ANY], lines=lines) as (backend, _):
        with publisher(real_endpoint(backend.status())) as bus:
            subscribed(bus)
        turn_until(lambda: backend.status()["disconnects"] == 1, "the disconnection")
    assert [text.partition(":")[0] for text in lines.texts] == ["connected", "disconnected"]
