"""Lanes, from the settings."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.message import Message
from hub.queue.ordering import lane_of
from hub.queue.waiting import LaneOf
from tests.unit.doubles import consumer_part, message


def lane(**settings: Any) -> LaneOf:
    made = lane_of(consumer_part("c", **settings).settings)
    assert made is not None
    return made


def body(text: str) -> Message:
    return message(0, body=text.encode())


def test_by_default_there_are_no_lanes() -> None:
    assert lane_of(consumer_part("c").settings) is None


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
