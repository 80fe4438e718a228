"""Selectors: equality, and a clear no to all else."""

from __future__ import annotations

import pytest

from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.selector import parse
from hub.message import HeaderValue, Message


def matches(selector: str, **headers: HeaderValue) -> bool:
    return parse(selector)(Message("1", "a", b"", headers))


@pytest.mark.parametrize(
    "selector",
    [
        "kind = 'new'",
        "kind='new'",
        " kind = 'new' AND size = 5 ",
        "size = 5.0 and urgent = TRUE",
        "\"kind\" = 'new'",
        "kind = 'new' AND urgent=true AND size=+5",
        "text = 'it''s'",
    ],
)
def test_equal_headers_match_as_texts_or_as_numbers(selector: str) -> None:
    assert matches(selector, kind="new", size="5", urgent="true", text="it's")
    assert matches(selector, kind="new", size=5, urgent=True, text="it's")


@pytest.mark.parametrize("selector", ["kind = 'old'", "kind = 'new' AND size = 6", "absent = 'x'", "urgent = false"])
def test_others_do_not(selector: str) -> None:
    assert not matches(selector, kind="new", size="5", urgent="true")
    assert not matches(selector, kind="new", size=5, urgent=True)


def test_a_text_is_no_number_and_a_number_no_truth() -> None:
    assert not matches("size = 5", size="many")
    assert not matches("size = 1", size=True)
    assert not matches("size = '5'", size=5)
    assert not matches("size = TRUE", size=1)


@pytest.mark.parametrize(
    "selector",
    [
        "",
        " ",
        "a",
        "a = ",
        "a > 5",
        "a = 'x' OR b = 'y'",
        "a <> 'x'",
        "NOT a = 'x'",
        "a LIKE 'x%'",
        "a IN ('x')",
        "a = 'x' AND",
        "a = 'x' b = 'y'",
        "(a = 'x')",
        "a = 'x",
        "a = 'x' ANDb = 'y'",
        "a = 'x'" + " AND a = 'x'" * 400,
    ],
)
def test_what_asks_for_more_is_refused(selector: str) -> None:
    with pytest.raises(ProtocolError, match="selector"):
        parse(selector)
