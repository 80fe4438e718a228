"""Headers keep their values and types from a bus to a consumer, over a restart, and out again."""

from __future__ import annotations

import enum
import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.backends.memory import Memory
from hub.headers import JSON_SUFFIX, LARGEST, LONGEST_NAME, MOST_BYTES, SMALLEST, are_values, checked, received
from hub.message import HeaderValue, Message
from hub.publisher import Publisher
from hub.settings import Settings
from hub.store import Outgoing
from tests.unit.backends.support import Recorder, hub_context
from tests.unit.doubles import FakeReactor
from tests.unit.store.bench import Bench

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
NUMBERS = st.integers(SMALLEST, LARGEST) | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
HEADERS = st.dictionaries(NAMES, TEXT | NUMBERS, max_size=5)
ODD = st.recursive(st.none() | st.floats() | st.integers() | st.text() | st.binary(), st.lists, max_leaves=5)


class Severity(enum.IntEnum):
    WARNING = 20


class Colour(enum.StrEnum):
    RED = "red"


def exact(headers: Any) -> dict[str, str]:
    """``1``, ``1.0`` and ``True`` are equal to Python, and so are both zeros."""
    return {name: repr(value) for name, value in headers.items()}


def bus() -> Memory:
    made = Memory(hub_context(Settings()))
    made.start(Recorder())
    return made


# -- what may be published


@given(HEADERS)
def test_good_headers_are_published_as_they_are(headers: dict[str, HeaderValue]) -> None:
    assert exact(checked(headers)) == exact(headers)
    assert are_values(headers)


@pytest.mark.parametrize("value", [None, b"x", [1], {"a": 1}, object(), datetime.now(UTC)])
def test_another_type_is_told_with_its_name(value: Any) -> None:
    with pytest.raises(TypeError, match="not 'h':"):
        checked({"h": value})


@pytest.mark.parametrize(
    "headers",
    [
        {"h": LARGEST + 1}, {"h": SMALLEST - 1}, {"h": float("nan")}, {"h": float("inf")}, {"h": "\ud800"},
        {"\ud800": "x"}, {"": "x"}, {"n" * (LONGEST_NAME + 1): "x"}, {"h": "x" * MOST_BYTES},
        {f"{at:0255}": 1 for at in range(MOST_BYTES // 255)},
    ],
)  # fmt: skip
def test_what_not_every_bus_can_carry_is_told(headers: Any) -> None:
    with pytest.raises(ValueError, match=r"header|numbers"):
        checked(headers)


def test_up_to_the_bounds_they_are_taken() -> None:
    headers: dict[str, HeaderValue] = {"n" * LONGEST_NAME: "x" * (MOST_BYTES - LONGEST_NAME)}
    assert checked(headers) == headers


def test_a_member_of_an_enumeration_is_its_plain_value() -> None:
    found = checked({"severity": Severity.WARNING, "colour": Colour.RED})
    assert exact(found) == {"severity": "20", "colour": "'red'"}


# -- what a bus brings


def test_a_table_or_a_list_is_json_under_a_name_of_its_own() -> None:
    died = [{"count": 1, "reason": "rejected", "time": datetime(2026, 1, 2, tzinfo=UTC)}]
    found = received({"x-death": died, "severity": 20})
    assert set(found) == {"x-death.json", "severity"}
    assert json.loads(str(found["x-death.json"])) == [
        {"count": 1, "reason": "rejected", "time": "2026-01-02T00:00:00Z"}
    ]


def test_it_takes_the_place_of_no_other_header() -> None:
    assert received({"h": [1], "h.json": "mine"}) == {"h.json": "mine", "h.json.json": "[1]"}


@given(st.dictionaries(st.text(max_size=9), ODD, max_size=4))
def test_whatever_a_bus_brings_can_be_stored_and_sent_as_json(headers: dict[str, Any]) -> None:
    found = received(headers)
    assert are_values(found)
    assert msgspec.json.decode(msgspec.json.encode(found)) == found
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found)) == found


def test_a_value_that_nothing_can_be_made_of_loses_no_message() -> None:
    ring: list[Any] = []
    ring.append(ring)
    found = received({"odd": object(), "ring": ring})
    assert are_values(found)
    assert all(name.endswith(JSON_SUFFIX) for name in found)


def test_a_bus_in_memory_brings_them_as_every_bus_does() -> None:
    backend, intake = Memory(hub_context(Settings())), Recorder()
    backend.start(intake)
    backend.deliver("a.b", {}, {"x-death": [{"count": 1}], "flag": True})
    assert intake.messages[0].headers == {"x-death.json": '[{"count":1}]', "flag": True}


# -- all the way


@given(st.lists(HEADERS, min_size=1, max_size=4))
def test_they_come_through_hub_store_restart_and_outbox(batch: list[dict[str, HeaderValue]]) -> None:
    with TemporaryDirectory() as directory:
        bench = Bench(Path(directory))
        bench.queue()
        bench.deliver([Message(str(at), "a.b", b"1", headers, 1.0, "bus") for at, headers in enumerate(batch)])
        assert bench.step()
        bench.crash()
        publisher = Publisher({}, FakeReactor(), bench.store, lambda: 7.0)
        while (taken := bench.queues["q"].take(1, timeout=0)) is not None:
            mine = publisher.message("c.d", b"2", taken.messages[0].headers)
            bench.queues["q"].finish(taken, 1, [Outgoing("bus", mine)])
        assert bench.step()
        bench.crash()
        Publisher({"bus": (out := bus())}, FakeReactor(), bench.store, lambda: 7.0).open()
        bench.store.close()
    assert [exact(message.headers) for message in out.published] == [exact(headers) for headers in batch]
