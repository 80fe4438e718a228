"""The ranges of the Monitoring Plugins' guidelines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cli.backlog.thresholds import Level, Limit, Range, plain


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("10", (0, 5, 10), (-1, 10.5)),
        ("10:", (10, 1e9), (-1, 9.5)),
        ("~:10", (-1e9, 10), (10.5,)),
        ("10:20", (10, 20), (9, 21)),
        ("@10:20", (9, 21), (10, 15, 20)),
        ("@10", (-1, 11), (0, 10)),
        ("-5:-1.5", (-5, -2), (-6, 0)),
        ("0", (0,), (1,)),
        ("0:", (0, 1), (-1,)),
    ],
)
def test_a_range_is_as_the_guidelines_have_it(text: str, good: tuple[float, ...], bad: tuple[float, ...]) -> None:
    found = Range.parse(text)
    assert [number for number in good if found.alerts(number)] == []
    assert [number for number in bad if not found.alerts(number)] == []
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    ["", "@", ":", "@:", "x", "1:2:3", "~", "20:10", "10:~", "1e3", "nan", "inf", " 10", "10\n", "\u0661", "1,5"],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a range"):
        Range.parse(text)


@given(low=st.integers(-1000, 1000), high=st.integers(-1000, 1000), inside=st.booleans())
def test_a_range_survives_being_written_and_read(low: int, high: int, inside: bool) -> None:
    found = Range(min(low, high), max(low, high), inside)
    assert Range.parse(str(found)) == found


def test_the_worse_limit_counts() -> None:
    limit = Limit(Range.parse("10"), Range.above(100))
    assert [limit.judge(number)[0] for number in (10, 11, 100, 101)] == [
        Level.OK,
        Level.WARNING,
        Level.WARNING,
        Level.CRITICAL,
    ]
    assert limit.judge(101)[1] == Range.parse("100")
    assert Limit().judge(1e9) == (Level.OK, None)


@pytest.mark.parametrize(("number", "text"), [(545, "545"), (1e15, "1" + "0" * 15), (12.34567, "12.346"), (0, "0")])
def test_numbers_have_no_exponents(number: float, text: str) -> None:
    assert plain(number) == text
