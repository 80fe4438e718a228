"""MESSAGE frames: heads, and tails that subscribers share."""

from __future__ import annotations

import pytest

from hub.backends.stomp.frame import Frame, ProtocolError, Version
from hub.backends.stomp.limits import Limits
from hub.backends.stomp.message_frame import MOST_TAILS, Heads, Tails, destination_of, passed_on
from hub.backends.stomp.parser import Parser
from hub.message import Message


def parsed(data: bytes, version: Version = Version.V12) -> list[Frame]:
    parser = Parser(Limits())
    parser.version = version
    parser.logged_in()
    return list(parser.feed(data))


def test_a_frame_has_what_a_client_needs_in_each_version() -> None:
    message = Message("m", "a.b", b"b\0dy", {"kind": "n:w\\", "size": 5, "urgent": True, "ratio": 0.5})
    for version in Version:
        heads = Heads("1", "key-2-", True, version)
        (data,) = heads.frames(7, (), [Tails(version).of(message)])
        (frame,) = parsed(data, version)
        assert frame.body == b"b\0dy"
        expected = {"destination": "/topic/a.b", "kind": "n:w\\", "size": "5", "urgent": "true", "ratio": "0.5"}
        expected |= {"subscription": "1", "message-id": "key-2-7", "content-length": "4"}
        expected |= {"ack": "key-2-7"} if version is Version.V12 else {}
        assert frame.headers == expected


def test_without_an_id_there_is_no_subscription_and_without_acks_no_ack() -> None:
    (frame,) = parsed(
        Heads(None, "k-1-", False, Version.V12).frames(1, (), [Tails(Version.V12).of(Message("m", "a", b""))])[0]
    )
    assert frame.headers == {"message-id": "k-1-1", "destination": "/topic/a"}


def test_redeliveries_are_marked_and_counted() -> None:
    tail = Tails(Version.V12).of(Message("m", "a", b""))
    frames = parsed(b"".join(Heads("%d", "k-1-", False, Version.V12).frames(1, (0, 2), [tail, tail])))
    assert "redelivered" not in frames[0].headers
    assert (frames[1].headers["redelivered"], frames[1].headers["x-delivery-count"]) == ("true", "2")
    assert {frame.headers["subscription"] for frame in frames} == {"%d"}


def test_a_publisher_can_not_set_what_the_server_sets() -> None:
    headers = dict.fromkeys(("destination", "message-id", "ack", "subscription", "redelivered", "receipt"), "forged")
    message = Message("m", "a", b"", {**headers, "own": "x"})
    (frame,) = parsed(b"MESSAGE\n" + Tails(Version.V12).of(message))
    assert frame.headers == {"destination": "/topic/a", "own": "x"}


def test_a_tail_is_encoded_once_and_few_are_kept() -> None:
    tails = Tails(Version.V12)
    messages = [Message(str(number), "a", b"x") for number in range(2 * MOST_TAILS)]
    first = tails.of(messages[0])
    assert tails.of(messages[0]) is first
    for message in messages:
        assert tails.of(message).endswith(b"x\0")
    assert tails.of(messages[0]) is not first
    assert len(tails._kept) <= MOST_TAILS


def test_headers_that_messages_share_are_encoded_once_for_each_topic() -> None:
    tails, shared = Tails(Version.V12), {"kind": "x"}
    found = [
        parsed(b"MESSAGE\n" + tails.of(Message("m", topic, body, headers)))[0]
        for topic, body, headers in (
            ("a", b"1", shared),
            ("a", b"2", shared),
            ("b", b"3", shared),
            ("b", b"4", {"kind": "y"}),
        )
    ]
    assert [(one.headers["destination"], one.headers["kind"], one.body) for one in found] == [
        *(("/topic/a", "x", b"1"), ("/topic/a", "x", b"2"), ("/topic/b", "x", b"3"), ("/topic/b", "y", b"4"))
    ]


def test_destinations_are_those_that_were_sent_to() -> None:
    assert destination_of(Message("m", "/queue/jobs", b"")) == "/queue/jobs"
    assert destination_of(Message("m", "org.example", b"")) == "/topic/org.example"


def test_headers_for_the_server_are_not_kept_with_the_message() -> None:
    given = {"destination": "/queue/a", "receipt": "1", "transaction": "t", "content-length": "3", "own": "x"}
    assert passed_on(given) == {"own": "x"}


@pytest.mark.parametrize(
    "headers", [{"n" * 256: "x"}, {"\N{SNOWMAN}" * 100: "x"}, {f"n{n}": "x" * 9000 for n in range(8)}]
)
def test_what_the_hub_has_no_room_for_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ProtocolError, match="bytes"):
        passed_on(headers)
