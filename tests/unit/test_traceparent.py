"""W3C Trace Context, as far as the hub reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.trace import get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from hub.message import Message
from hub.traceparent import is_traceparent, is_tracestate, speaks_of_a_trace, trace_of, trace_of_all

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{PARENT}-01"
OTHER = f"00-{TRACE}-{PARENT[::-1]}-01"


@pytest.mark.parametrize("value", [GOOD, f"00-{TRACE}-{PARENT}-00", f"01-{TRACE}-{PARENT}-ff", f"cc-{GOOD[3:]}-later"])
def test_what_names_a_trace_and_a_parent_is_passed_on(value: str) -> None:
    assert is_traceparent(value)
    assert trace_of({"traceparent": value, "other": "x"}) == {"traceparent": value}


@pytest.mark.parametrize(
    "value",
    [
        "", "00", GOOD[:-1], GOOD + "0", GOOD + "-", GOOD + "-later", GOOD.upper(), " " + GOOD, GOOD + "\n",
        f"ff-{TRACE}-{PARENT}-01", f"0-{TRACE}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}-0g", f"00_{TRACE}_{PARENT}_01", f"01-{TRACE}-{PARENT}-01x",
        f"01-{TRACE}-{PARENT}-01-" + "x" * 500, f"01-{TRACE}-{PARENT}-01-\x1b", "\u0660" + GOOD[1:], None, 5, b"00",
    ],
)  # fmt: skip
def test_what_is_not_valid_is_no_trace_and_no_error(value: str) -> None:
    assert not is_traceparent(value)
    assert trace_of({"traceparent": value, "tracestate": "a=1"}) == {}


@pytest.mark.parametrize(
    "value", ["a=1", "rojo=00f067,congo=t61rcWkgMzE", "a@b/c-d_e*f=!~ x", " a=1 , b=2", "a=1,,b=2"]
)
def test_a_tracestate_goes_with_its_traceparent(value: str) -> None:
    assert trace_of({"traceparent": GOOD, "tracestate": value}) == {"traceparent": GOOD, "tracestate": value}
    assert trace_of({"tracestate": value}) == {}


@pytest.mark.parametrize(
    "value", ["a", "a=", "A=1", "=1", "a=1;b=\x07", "a=é", "a=b=c", ",".join(["a=1"] * 33), "a=" + "1" * 511, 7, ""]
)
def test_a_bad_tracestate_does_not_take_the_traceparent_with_it(value: str) -> None:
    assert not is_tracestate(value)
    assert trace_of({"traceparent": GOOD, "tracestate": value}) == {"traceparent": GOOD}


@given(st.from_regex(r"[0-9a-f]{2}-[0a-f]{31,33}-[0a-f]{15,17}-[0-9a-f]{2}(-x)?", fullmatch=True))
def test_it_is_valid_where_opentelemetry_says_so(value: str) -> None:
    context = TraceContextTextMapPropagator().extract({"traceparent": value})
    assert is_traceparent(value) == get_current_span(context).get_span_context().is_valid


def messages(*headers: dict[str, str]) -> list[Message]:
    return [Message(str(number), "a", b"{}", one) for number, one in enumerate(headers)]


def test_a_batch_has_a_trace_only_if_all_its_messages_have_the_same_parent() -> None:
    parent = {"traceparent": GOOD}
    assert trace_of_all(messages(parent, parent)) == parent
    assert trace_of_all(messages(parent, {"traceparent": OTHER})) == {}
    assert trace_of_all(messages(parent, {})) == {}
    assert trace_of_all(messages({}, parent)) == {}
    assert trace_of_all(messages({"traceparent": "bad"}, {"traceparent": "bad"})) == {}


def test_a_batch_whose_messages_differ_in_their_tracestate_has_none() -> None:
    one, other = ({"traceparent": GOOD, "tracestate": state} for state in ("a=1", "a=2"))
    assert trace_of_all(messages(one, one)) == one
    assert trace_of_all(messages(one, other)) == {"traceparent": GOOD}


def test_who_names_a_trace_in_whatever_case_has_decided() -> None:
    assert speaks_of_a_trace({"Traceparent": ""})
    assert speaks_of_a_trace({"x": "y", "TRACESTATE": "a=1"})
    assert not speaks_of_a_trace({"x": "traceparent"})
