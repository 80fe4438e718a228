"""What a ZeroMQ backend receives, over real sockets, with a real reactor that is turned by hand."""

from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import Unavailable
from tests.unit.backends.support import (
    REACTOR,
    Lines,
    Recorder,
    publisher,
    real_endpoint,
    running,
    subscribed,
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
        assert status["bytes"] == sum(map(len, bodies))
        assert status["peers"] == 1
        assert {message.received_at for message in intake.messages} == {1000.0}
        assert len({message.id for message in intake.messages}) == 5000


def test_a_file_at_the_path_of_a_unix_socket_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "precious"
    file.write_text("precious")
    for setting in ("bind", "publish_bind"):
        with pytest.raises(Unavailable, match="exists and is not a socket"), running(**{setting: [f"ipc://{file}"]}):
            pass
        assert file.read_text() == "precious"


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


def test_messages_with_an_odd_signer_cost_no_other_message_and_no_time() -> None:
    with running(bind=[ANY]) as (backend, intake), publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        bodies = [b'{"seq_id":%d,"username":%s}' % (n, b"1e999" if n % 50 == 0 else b'"ann"') for n in range(2000)]
        for body in bodies:
            bus.send_multipart([TOPIC, body])
        turn_until(lambda: len(intake.messages) == 2000, "2000 messages")
        assert intake.bodies == bodies
        assert (backend.status()["lost"], backend.status()["malformed"]) == (0, {})


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
        backend.subscribe(["a.b", "b.c.*"])
        backend.unsubscribe(["a.#"])
        assert [subscribed(bus), subscribed(bus)] == [b"\x01a.b", b"\x00a"]
        assert backend.status()["subscriptions"] == ["a.b", "b.c"]


def test_hears_on_after_each_change_of_the_subscription() -> None:
    with running("a", bind=[ANY]) as (backend, intake), publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        for number in range(50):
            bus.send_multipart([b"a", GOOD])
            backend.subscribe([f"b{number}"])
            backend.unsubscribe([f"b{number - 1}"])
        turn_until(lambda: len(intake.messages) == 50, "50 messages")


def arrived(intake: Recorder, count: int) -> bool:
    return len(intake.messages) == count


def test_publishers_of_one_name_at_two_addresses_count_by_themselves() -> None:
    with running(bind=[ANY]) as (backend, intake):
        here = real_endpoint(backend.status()).removeprefix("tcp://")
        with publisher(f"tcp://{here}") as bus, publisher(f"tcp://127.0.0.2:0;{here}") as other:
            for socket in (bus, other):
                subscribed(socket)
            for number, socket in ((1, bus), (5, other), (2, bus), (7, other)):
                sent = len(intake.messages)
                socket.send_multipart([TOPIC, b'{"seq_id":%d,"i":%d,"username":"ann"}' % (number, number)])
                turn_until(partial(arrived, intake, sent + 1), "one message after the other")
        assert backend.status()["gaps"] == 1


def test_gaps_show_in_the_status() -> None:
    with running(bind=[ANY]) as (backend, intake), publisher(real_endpoint(backend.status())) as bus:
        subscribed(bus)
        for number in (1, 2, 5):
            bus.send_multipart([TOPIC, b'{"seq_id":%d,"i":%d}' % (number, number)])
        turn_until(lambda: len(intake.messages) == 3, "three messages")
        assert backend.status()["gaps"] == 2
