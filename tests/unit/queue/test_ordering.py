"""KeyOrder, from the settings."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.message import Message
from hub.queue.ordering import key_of, safe_key
from hub.queue.policy import KeyOf
from tests.unit.doubles import consumer_part, message


def key_for(**given: Any) -> KeyOf | None:
    settings = consumer_part("c", **given).settings
    return key_of(settings.ordering, settings.order_by)


def lane(**settings: Any) -> KeyOf:
    made = key_for(**settings)
    assert made is not None
    return made


def body(text: str) -> Message:
    return message(0, body=text.encode())


def test_by_default_there_are_no_lanes() -> None:
    assert key_for() is None


def test_strict_order_is_one_lane_for_all_whatever_else_is_set() -> None:
    strict = lane(ordering="strict", order_by="header:x")
    assert {strict(message(n, x=str(n))) for n in range(3)} == {None}


def test_a_header_is_a_lane_and_those_without_it_share_one() -> None:
    by_user = lane(order_by="header:user")
    assert by_user(message(0, user="ann")) == by_user(message(1, user="ann")) != by_user(message(2, user="bob"))
    assert by_user(message(3)) == by_user(message(4))


def test_a_field_of_the_body_is_a_lane() -> None:
    by_name = lane(order_by="body:msg.package.name")
    one, two = body('{"msg": {"package": {"name": "bash"}}}'), body('{"msg": {"package": {"name": "zsh"}}}')
    assert (by_name(one), by_name(two)) == ("bash", "zsh")


@pytest.mark.parametrize("text", ["null", "[]", "3", "{}", '{"msg": null}', '{"msg": {"package": "x"}}'])
def test_bodies_without_the_field_share_a_lane(text: str) -> None:
    by_name = lane(order_by="body:msg.package.name")
    assert by_name(body(text)) == by_name(body("{}"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_whatever_stands_in_the_field_is_a_lane_that_equals_itself(value: object) -> None:
    one = message(0, body=msgspec.json.encode({"key": value}))
    by_key = lane(order_by="body:key")
    assert by_key(one) == by_key(one)
    assert len({by_key(one), by_key(one)}) == 1


@given(st.binary())
def test_a_body_that_is_anything_has_a_lane(raw: bytes) -> None:
    hash(lane(order_by="body:a.b")(message(0, body=raw)))


@pytest.mark.parametrize("depth", [500, 900, 980, 990, 100_000])
def test_a_body_that_is_nested_too_deeply_has_a_lane(depth: int) -> None:
    hash(lane(order_by="body:a")(body('{"a":' + "[" * depth + "]" * depth + "}")))


def test_where_there_is_no_key_function_or_no_message_or_it_fails_the_key_is_none() -> None:
    def fail(_: Message) -> str:
        raise KeyError("no such key")

    assert safe_key(lambda one: one.id, message(3)) == "3"
    assert (safe_key(None, message(3)), safe_key(fail, message(3))) == (None, None)
    assert safe_key(lambda _: "a key of nothing", None) is None


def test_all_that_is_no_number_shares_a_key() -> None:
    assert _field_of({"key": math.nan}) == _field_of({"key": float("nan")}) == "NaN"


def test_values_that_are_neither_text_nor_numbers_have_the_key_of_their_content() -> None:
    keys = [_field_of({"key": value}) for value in ([1], [2], {"a": 1}, None)]
    assert len({*keys}) == 4


def _field_of(content: object) -> Hashable:
    made = key_of("parallel", "body:key")
    assert made is not None
    return made(message(0, body=json.dumps(content).encode()))


def test_the_name_of_a_header_or_field_may_have_a_colon() -> None:
    by_header, by_field = key_of("parallel", "header:x:y"), key_of("parallel", "body:x:y")
    assert by_header is not None
    assert by_field is not None
    assert by_header(Message("0", "a.b", b"", {"x:y": "one"})) == "one"
    assert by_field(message(0, body=b'{"x:y": "two"}')) == "two"
