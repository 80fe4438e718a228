"""JSON as publishers in Python write it."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import jsontext

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_what_python_writes_is_read_as_python_reads_it(value: Any) -> None:
    text = json.dumps(value)
    assert repr(jsontext.read(text.encode())) == repr(json.loads(text))


@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert repr(jsontext.read(jsontext.write(value))) == repr(value)


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        ({"b": 1, "a": [1.5, "\xe9"]}, '{"b":1,"a":[1.5,"\xe9"]}'.encode()),
        ({"a": math.nan, "b": -math.inf, "c": None}, b'{"a":NaN,"b":-Infinity,"c":null}'),
        ({"\ud800": datetime(2026, 1, 1, tzinfo=UTC)}, b'{"\\ud800":"2026-01-01T00:00:00Z"}'),
        ({1: None}, b'{"1":null}'),
    ],
)
def test_nothing_is_written_as_something_else(value: object, raw: bytes) -> None:
    assert jsontext.write(value) == raw


@pytest.mark.parametrize("value", [object(), {"a": None, "b": object()}])
def test_what_is_no_json_can_not_be_written(value: object) -> None:
    with pytest.raises(TypeError):
        jsontext.write(value)


@pytest.mark.parametrize(
    "raw", [b"", b"nan", b"-NaN", b"{NaN:1}", b"1NaN", b"'a'", b"\xff", b'"\xed\xa0\x80"', b"[" * 10**5]
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(jsontext.NO_JSON):
        jsontext.read(raw)


@pytest.mark.parametrize("raw", ["{}".encode("utf-16"), b"\xef\xbb\xbf{}"])
def test_no_encoding_is_guessed(raw: bytes) -> None:
    with pytest.raises(jsontext.NO_JSON):
        jsontext.read(raw)


@pytest.mark.parametrize(("raw", "strict"), [(b"{}", True), (b"[NaN]", False), (b'"\\ud800"', False), (b"x", False)])
def test_strict_is_what_every_decoder_takes(raw: bytes, strict: bool) -> None:
    assert jsontext.is_strict(raw) == strict
