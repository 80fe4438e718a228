import json
from typing import Any

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from hub.backends.fedmsg import MAX_TOPIC
from hub.backends.zeromq.frames import OVERSIZE_KEPT, Parser
from hub.message import Message
from tests.unit.backends.support import Recorder

TOPIC = b"org.fedoraproject.prod.git.receive"
GOOD = b'{"msg_id":"2026-good"}'


class Bench:
    """A parser with what it reports to."""

    def __init__(self, kind: Any = "fedmsg") -> None:
        self.intake = Recorder()
        self.notices: list[str] = []
        self.parser = Parser(
            "bus", kind, 1 << 16, self.intake.refuse, lambda *notice: self.notices.append(notice[2]), "o"
        )

    def parse(self, *pairs: tuple[bytes, bytes]) -> list[Message]:
        messages: list[Message] = []
        self.parser.parse([(topic, zmq.Frame(body)) for topic, body in pairs], 5.0, messages)
        return messages


def test_a_good_message() -> None:
    (message,) = Bench().parse((TOPIC, GOOD))
    assert message == Message("2026-good", TOPIC.decode(), GOOD, {}, 5.0, "bus")


@pytest.mark.parametrize(
    "body",
    [
        b"{}", b'{"msg_id":null}', b'{"msg_id":3}', b'{"msg_id":["x"]}', b'{"msg_id":""}', b'{"msg_id":1e400}',
        b'{"seq_id":"x"}', b'{"seq_id":1.5}', b'{"seq_id":true}', b'{"seq_id":1e400}',
        b'{"msg_id":"' + b"x" * 300 + b'"}',
    ],
)  # fmt: skip
def test_a_field_that_is_missing_or_odd_spoils_nothing(body: bytes) -> None:
    bench = Bench()
    assert [(message.id, message.body) for message in bench.parse((TOPIC, body))] == [("o-1", body)]
    assert not bench.parser.malformed


def test_one_odd_field_leaves_the_other() -> None:
    (message,) = Bench().parse((TOPIC, b'{"seq_id":"odd","msg_id":"fine"}'))
    assert message.id == "fine"


@pytest.mark.parametrize(
    ("topic", "body", "kind"),
    [
        (b"", GOOD, "topic_size"),
        (b"x" * (MAX_TOPIC + 1), GOOD, "topic_size"),
        (b"\xff\xfe", GOOD, "topic_encoding"),
        (TOPIC, b"x" * ((1 << 16) + 1), "oversize"),
        (TOPIC, b"", "not_json"),
        (TOPIC, b"not json", "not_json"),
        (TOPIC, b'{"a":NaN', "not_json"),
        (TOPIC, b'{"a":"\\ud800}', "not_json"),
        (TOPIC, b'{"a":"\xff"}', "not_json"),
        (TOPIC, b'{"\xff":1}', "not_json"),
        (TOPIC, b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "not_json"),
        (TOPIC, b"[" * 60_000, "not_json"),
        (TOPIC, b'{"a":1} x', "not_json"),
        (TOPIC, b"[1", "not_json"),
        (TOPIC, b"null", "not_an_object"),
        (TOPIC, b"[]", "not_an_object"),
        (TOPIC, b"3", "not_an_object"),
        (TOPIC, b'"text"', "not_an_object"),
        (TOPIC, b"NaN", "not_an_object"),
        (TOPIC, b"[-Infinity]", "not_an_object"),
    ],
)
def test_malformed_input_is_counted_by_kind_and_the_next_message_is_fine(topic: bytes, body: bytes, kind: str) -> None:
    bench = Bench()
    assert [message.id for message in bench.parse((topic, body), (TOPIC, GOOD))] == ["2026-good"]
    assert bench.parser.malformed == {kind: 1}
    buried = kind.startswith("not_") or kind == "oversize"
    kept = body[:OVERSIZE_KEPT] if kind == "oversize" else body
    assert [message.body for message, _ in bench.intake.refused] == [kept] * buried
    assert bench.parser.refused == int(buried)
    assert len(bench.notices) == 1


@pytest.mark.parametrize("odd", ["NaN", "Infinity", "[-Infinity]", '"\\ud800"', "[1e999]"])
def test_what_only_pythons_decoder_takes_is_a_message_with_its_id_and_headers(odd: str) -> None:
    body = f'{{"a":{odd},"msg_id":"2026-x","headers":{{"h":"v","n":{odd},"s":"\\udc00"}}}}'.encode()
    bench = Bench()
    (message,) = bench.parse((TOPIC, body))
    assert (message.id, message.body, message.headers["h"]) == ("2026-x", body, "v")
    assert str(message.headers.get("n", "")).isprintable()
    assert json.dumps(message.json()) == json.dumps(json.loads(body))
    assert (bench.parser.malformed, bench.intake.refused, bench.notices) == ({}, [], [])


def test_half_a_surrogate_pair_in_an_id_is_escaped() -> None:
    (message,) = Bench().parse((TOPIC, b'{"msg_id":"a\\ud800"}'))
    assert message.id == "a\\ud800"


def test_a_number_in_a_body_that_only_pythons_decoder_takes_is_noted() -> None:
    bench = Bench()
    bench.parser.gaps.watch([b""])
    odd = [b'{"a":NaN,"seq_id":%d,"i":%d,"username":"ann"}' % (number, number) for number in (1, 2, 4)]
    good = b'{"seq_id":5,"i":5,"username":"ann"}'
    bench.parse(*((TOPIC, body) for body in (*odd, good)))
    assert bench.parser.gaps.missing == 1


def test_a_notice_is_short_and_escaped() -> None:
    bench = Bench()
    bench.parse(("\x1b[31m\n\u202e".encode() + b"x" * 900, b"\x1b]0;\n" * 5000))
    assert len(bench.notices[0]) < 400
    assert bench.notices[0].isprintable()


def test_raw_bodies_are_not_looked_into() -> None:
    bench = Bench("raw")
    messages = bench.parse((TOPIC, b"\xff"), (TOPIC, b""), (b"", b""), (TOPIC, b"x" * 70_000))
    assert [(message.id, message.body) for message in messages] == [("o-1", b"\xff"), ("o-2", b"")]
    assert bench.parser.malformed == {"topic_size": 1, "oversize": 1}


def test_two_parsers_make_different_ids() -> None:
    messages: list[Message] = []
    for _ in range(2):
        parser = Parser("bus", "raw", 9, Recorder().refuse, lambda *_: None)
        parser.parse([(b"t", zmq.Frame(b""))], 0, messages)
    assert messages[0].id != messages[1].id


def test_topics_are_shared_and_their_cache_is_bounded() -> None:
    bench = Bench("raw")
    one, other = bench.parse((TOPIC, b""), (bytes(bytearray(TOPIC)), b""))
    assert one.topic is other.topic
    bench.parse(*((b"topic-%d" % number, b"") for number in range(10_500)))
    assert len(bench.parser.known) <= 10_000


def numbered(number: int, **fields: object) -> tuple[bytes, bytes]:
    return TOPIC, json.dumps({"seq_id": number, "i": number, **fields}).encode()


def test_gaps_are_counted_per_publisher() -> None:
    bench = Bench()
    bench.parser.gaps.watch([b"org.fedoraproject"])
    bench.parse(numbered(1, username="a"), numbered(10, username="b"), numbered(2, username="a"))
    assert bench.parser.gaps.missing == 0
    bench.parse(numbered(5, username="a"), numbered(11, username="b"), numbered(13, username="b", certificate="c"))
    assert bench.parser.gaps.missing == 2
    assert "2 messages" in bench.notices[0]


BODY = st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["msg_id", "seq_id", "username", "certificate", "msg"]), inner, max_size=5)
    ),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())


@given(st.lists(st.tuples(st.binary(max_size=8) | st.just(TOPIC), BODY), max_size=8))
def test_anything_is_a_message_or_a_count_and_a_good_one_always_arrives(pairs: list[tuple[bytes, bytes]]) -> None:
    bench = Bench()
    bench.parser.gaps.watch([b""])
    messages = bench.parse(*pairs, (TOPIC, GOOD))
    assert messages[-1].body == GOOD
    assert len(messages) + bench.parser.malformed.total() == len(pairs) + 1
    for message in messages:
        assert isinstance(json.loads(message.body), dict)
        assert 0 < len(message.id) <= 256
