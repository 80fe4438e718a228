import json
import re

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from hub.backends.fedmsg import is_msg_id, wrap
from hub.backends.zeromq.publisher import Publisher
from hub.errors import CannotPublish, Unavailable
from hub.message import Message
from tests.unit.backends.support import configured

MSG_ID = "2026-d21c9592-bdd6-4605-bd74-1c1104c3b971"


def wrapped(body: bytes) -> bytes:
    message = Message("x", "org.a", body)
    return wrap(message, number=3, msg_id=MSG_ID, timestamp=1795224384, username="root")


def test_is_byte_for_byte_what_fedmsg_sends() -> None:
    expected = (
        '{"i":3,"msg":{"a":[1,2],"n":"J\\u00fcrgen \\ud83d\\ude00","z":null},'
        f'"msg_id":"{MSG_ID}","timestamp":1795224384,"topic":"org.a","username":"root"}}'
    )
    assert wrapped('{"z": null, "n": "J\xfcrgen \U0001f600", "a": [1, 2]}'.encode()) == expected.encode()


@pytest.mark.parametrize("body", [b"", b"no", b"[NaN", b'"\xff"', b"[" * 100_000])
def test_a_body_that_is_not_json_can_not_be_published(body: bytes) -> None:
    with pytest.raises(CannotPublish, match="JSON"):
        wrapped(body)


def test_msg_id() -> None:
    assert is_msg_id(MSG_ID)
    assert not is_msg_id("memory-1")


class Sent:
    """A socket that keeps what is sent, or has no room."""

    def __init__(self, room: bool = True) -> None:
        self.frames: list[list[bytes]] = []
        self.room = room

    def send_multipart(self, frames: list[bytes], flags: int) -> None:
        if not self.room:
            raise zmq.Again
        self.frames.append(frames)


def publish(message: Message, socket: Sent, publisher: Publisher) -> None:
    publisher.send(socket, message)  # type: ignore[arg-type]


def test_publisher_numbers_its_messages_and_keeps_an_id_of_fedmsgs_form() -> None:
    publisher, sent = Publisher(configured(publish_bind=["ipc:///x"]), lambda: 1795224384.9), Sent()
    publish(Message(MSG_ID, "t", b"1"), sent, publisher)
    publish(Message("own", "t", b"2"), sent, publisher)
    first, second = (json.loads(frames[1]) for frames in sent.frames)
    assert (first["i"], second["i"]) == (1, 2)
    assert first["msg_id"] == MSG_ID
    assert re.fullmatch(r"2026-[0-9a-f-]{36}", second["msg_id"])
    assert first["timestamp"] == 1795224384
    assert publisher.published == 2


@pytest.mark.parametrize("topic", ["", "x" * 1025, "\ud800"])
def test_publisher_refuses_a_bad_topic(topic: str) -> None:
    publisher = Publisher(configured(publish_bind=["ipc:///x"], format="raw"), lambda: 0.0)
    with pytest.raises(CannotPublish, match="topic"):
        publish(Message("", topic, b""), Sent(), publisher)
    assert (publisher.published, publisher.failed) == (0, 1)


def test_publisher_refuses_what_no_hub_would_take() -> None:
    publisher = Publisher(configured(publish_bind=["ipc:///x"], format="raw", max_message_size=1024), lambda: 0.0)
    with pytest.raises(CannotPublish, match="max_message_size"):
        publish(Message("", "t", b"x" * 1025), Sent(), publisher)


def test_publisher_says_that_there_is_no_room() -> None:
    publisher = Publisher(configured(publish_bind=["ipc:///x"], format="raw"), lambda: 0.0)
    with pytest.raises(Unavailable, match="did not accept the message"):
        publish(Message("", "t", b""), Sent(room=False), publisher)
    assert publisher.failed == 1


@given(
    st.binary(max_size=60)
    | st.recursive(st.none() | st.floats() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)).map(
        lambda value: json.dumps(value).encode()
    )
    | st.integers(800, 1100).map(lambda size: b'"' + b"x" * size + b'"')
    | st.sampled_from([b'"\x7f"', b"1e15", b"[" * 300 + b"]" * 300, b"[" * 2000 + b"]" * 2000]),
    st.sampled_from(["fedmsg", "raw"]),
    st.sampled_from([1024, 1 << 20]),
)
def test_what_the_check_lets_pass_can_be_sent(body: bytes, format: str, limit: int) -> None:
    """And what it refuses could not, but for a few bytes at the limit: the envelope's number is not known yet."""
    made = Publisher(configured(publish_bind=["ipc:///x"], format=format, max_message_size=limit), lambda: 0.0)
    message = Message("x", "a.b", body)
    try:
        made.check(message)
    except CannotPublish:
        if limit > 1 << 19:
            with pytest.raises(CannotPublish):
                publish(message, Sent(), made)
    else:
        publish(message, Sent(), made)


def test_the_check_takes_no_number() -> None:
    made, sent = Publisher(configured(publish_bind=["ipc:///x"]), lambda: 0.0), Sent()
    for _ in range(2):
        made.check(Message("x", "a.b", b"[" * 300 + b"]" * 300))
        publish(Message("x", "a.b", b"{}"), sent, made)
    assert [json.loads(frames[1])["i"] for frames in sent.frames] == [1, 2]
