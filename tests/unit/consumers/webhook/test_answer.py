"""What answers mean."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from hub.consumers.sending.outcome import ForGood, Temporary
from hub.consumers.webhook.answer import Answer, HostFault, Rules, seconds_of

RULES = Rules(frozenset({401, 429}), 100.0)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_it_is_accepted(status: int) -> None:
    assert RULES.failure("h", Answer(status), 0.0) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, ForGood),
        (307, ForGood),
        (304, ForGood),
        (400, ForGood),
        (404, ForGood),
        (410, ForGood),
        (401, Temporary),
        (500, Temporary),
        (501, Temporary),
        (599, Temporary),
        (999, Temporary),
        (429, HostFault),
        (502, HostFault),
        (503, HostFault),
        (504, HostFault),
    ],
)
def test_it_is_not(status: int, kind: type[Exception]) -> None:
    found = RULES.failure("h", Answer(status, text="no\r\n\x1b[31m way"), 0.0)
    assert type(found) is kind
    assert str(found).startswith(f"h answered {status}")
    assert found is not None
    assert "\x1b" not in str(found)
    assert "\n" not in str(found)


def test_retry_after_is_obeyed_within_bounds() -> None:
    def delay(text: str) -> float | None:
        found = RULES.failure("h", Answer(503, text), 0.0)
        assert isinstance(found, Temporary)
        return found.delay

    assert [delay(""), delay("7"), delay("100000"), delay("soon")] == [None, 7.0, 100.0, None]


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("text", ["0", "000", formatdate(950, usegmt=True), formatdate(1000, usegmt=True)])
def test_a_host_that_fails_is_not_asked_again_at_once(status: int, text: str) -> None:
    for rules in (RULES, Rules(RULES.again, 0.0)):
        found = rules.failure("h", Answer(status, text), 1000.0)
        assert isinstance(found, Temporary)
        assert found.delay is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (" 12 ", 12.0),
        (formatdate(1050, usegmt=True), 50.0),
        (formatdate(950, usegmt=True), 0.0),
        ("-1", None),
        ("1e9", None),
        ("9" * 400, None),
        ("Mon, 99 Foo 99999 99:99:99 GMT", None),
        ("\u0663", None),
        ("inf", None),
        ("nan", None),
    ],
)
def test_what_it_says(text: str, seconds: float | None) -> None:
    assert seconds_of(text, 1000.0) == seconds
