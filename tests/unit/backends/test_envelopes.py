"""Whatever stands in the fields of an envelope: the parser never raises, and each message is one, or is counted."""

from __future__ import annotations

import gc
import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.headers import are_values
from tests.unit.backends.test_frames import GOOD, TOPIC, Bench

FIELDS = ("msg_id", "seq_id", "username", "certificate", "headers", "msg", "topic")


def following() -> Bench:
    """A parser that looks for gaps too."""
    bench = Bench()
    bench.parser.gaps.watch([b""])
    return bench


@pytest.mark.parametrize("field", ["username", "certificate"])
@pytest.mark.parametrize(
    "value",
    [
        b"1e999", b"-1e999", b"9" * 4300, b"9" * 5000, b"-" + b"9" * 4300, b"9" * 4300 + b".0", b"5", b"true", b"{}",
        b'["a"]', b'{"a":1e999}', b"[" * 900 + b"]" * 900,
    ],
)  # fmt: skip
def test_who_names_itself_by_no_text_is_followed_by_nobody_and_the_message_is_fine(field: str, value: bytes) -> None:
    bench = following()
    odd = b'{"seq_id":%%d,"%s":%s}' % (field.encode(), value)
    bodies = [odd % 1, GOOD, odd % 9]
    assert [message.body for message in bench.parse(*((TOPIC, body) for body in bodies))] == bodies
    assert not bench.parser.malformed
    assert bench.parser.gaps.missing == 0


def test_nesting_is_a_message_or_not_json_at_any_depth() -> None:
    """The decoder's limit depends on how deep the call is; a body right at it must not slip between two decoders."""
    for form in (b'{"seq_id":1,"a":%s}', b'{"seq_id":1.5,"username":%s}', b'{"seq_id":1,"headers":{"a":%s}}'):
        bench = following()
        bodies = [form % (b"[" * depth + b"]" * depth) for depth in range(1, 1100)]
        messages = bench.parse(*((TOPIC, body) for body in bodies))
        assert [message.body for message in messages] == bodies[: len(messages)]
        assert bench.parser.malformed["not_json"] == bench.parser.malformed.total() == len(bodies) - len(messages)


@pytest.mark.parametrize("form", [b'{"msg_id":%s}', b'{"seq_id":%s}', b'{"seq_id":1,"username":%s}'])
def test_a_field_of_another_type_is_not_built(form: bytes) -> None:
    """Of 8 MB of small objects, Python is busy for seconds. It collects garbage as they come, which shows them."""
    collections: list[str] = []
    bench, body = following(), form % (b"[" + b",".join([b"[]"] * 20_000) + b"]")
    gc.callbacks.append(lambda phase, info: collections.append(phase))
    try:
        assert len(bench.parse((TOPIC, body))) == 1
    finally:
        gc.callbacks.pop()
    assert len(collections) < 10


NUMBERS = st.builds(
    lambda sign, digits, tail: sign + b"9" * digits + tail,
    st.sampled_from([b"", b"-"]),
    st.integers(1, 6000),
    st.sampled_from([b"", b".5", b"e5", b"e999", b"e-9999"]),
)
TEXTS = st.text(max_size=8).map(lambda text: json.dumps(text).encode())
NESTED = st.builds(
    lambda form, depth: form[0] * depth + b"1" + form[1] * depth,
    st.sampled_from([(b"[", b"]"), (b'{"a":', b"}")]),
    st.integers(0, 1000),
)
JSON = (
    NUMBERS | TEXTS | NESTED | st.sampled_from([b"null", b"true", b"{}", b"[]", b"1", b"2", b'"' + b"x" * 9000 + b'"'])
)
NO_JSON = st.one_of(
    st.sampled_from([b"", b"NaN", b"Infinity", b"-Infinity", b"01", b"+1", b"[1", b'{"a"}', b'"\\q"', b"[" * 1000]),
    st.sampled_from([b'"\\ud800"', b'"\\udc00\\ud800"', b'"\xed\xa0\x80"']),
    st.binary(max_size=8).map(lambda raw: b'"' + raw + b'"'),
)


def members(pairs: list[tuple[bytes, bytes]]) -> bytes:
    """An object of names and values that are JSON already, or are not; names may come twice."""
    return b"{" + b",".join(name + b":" + value for name, value in pairs) + b"}"


def numbered(pairs: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The same with a number, so that it is looked who sends it."""
    return [*pairs, (b'"seq_id"', b"1")]


NAMES = st.sampled_from([b'"%s"' % name.encode() for name in FIELDS])
ODD = st.lists(st.tuples(NAMES, JSON), max_size=3)
WRONG = st.lists(st.tuples(NAMES | TEXTS | NO_JSON, JSON | NO_JSON), max_size=5)


def is_object(body: bytes) -> bool:
    try:
        return isinstance(msgspec.json.decode(body.decode(), type=dict[str, msgspec.Raw]), dict)
    except msgspec.DecodeError:
        return isinstance(json.loads(body.decode()), dict)


@settings(deadline=None, max_examples=300)
@given(st.lists((ODD.map(numbered) | ODD | WRONG).map(members), max_size=5))
def test_anything_in_any_field_is_a_message_or_a_count_and_a_good_one_always_arrives(bodies: list[bytes]) -> None:
    bench = following()
    messages = bench.parse(*((TOPIC, body) for body in bodies), (TOPIC, GOOD))
    assert messages[-1].body == GOOD
    malformed = bench.parser.malformed
    assert len(messages) + malformed.total() == len(bodies) + 1
    assert bench.parser.refused == len(bench.intake.refused) == malformed["not_json"] + malformed["not_an_object"]
    for message in messages:
        assert is_object(message.body)
        message.body.decode()
        assert 0 < len(message.id) <= 256
        assert are_values(message.headers)
    assert all(len(line) < 400 and line.isprintable() for line in bench.notices)
