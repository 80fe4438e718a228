"""What is printed holds no secrets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.configuration.masking import masked, masked_value, shown_masked, without


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at amqp://ann:pw@host/x, no", "at amqp://ann:***@host/x, no"),
        ("'redis://:pw@host'", "'redis://:***@host'"),
        ("a://u:p@ss/w@h b", "a://u:***@h b"),
        ("x://h/d?user=a&sslpassword=pw&b=1", "x://h/d?user=a&sslpassword=***&b=1"),
        ("tcp://127.0.0.1:9940 and ann@example.org", "tcp://127.0.0.1:9940 and ann@example.org"),
        ("tcp://[::1]:9940", "tcp://[::1]:9940"),
    ],
)
def test_prose_is_without_the_passwords_of_urls(text: str, shown: str) -> None:
    assert masked(text) == shown


PASSWORDS = st.text(st.characters(codec="utf-8"), min_size=1).map("{}!?".format)


@given(PASSWORDS)
def test_any_password_is_hidden_in_a_value(password: str) -> None:
    url = f"postgresql+psycopg2://ann:{password}@db:5432/x"
    assert masked_value({"a": [url]}) == {"a": ["postgresql+psycopg2://ann:***@db:5432/x"]}
    assert password not in shown_masked(url)


@given(PASSWORDS)
def test_prose_about_a_value_is_without_what_is_secret_in_it(password: str) -> None:
    url = f"x://ann:{password}@h"
    for said in (f"bad: {url}", f"bad: {url!r}", f"bad: :{password}@"):
        assert f"{password}@" not in without(said, {"a": url}, whole=False)
    assert password not in without(f"bad: {password} or {password!r}", [password], whole=True)


def test_values_of_other_kinds_are_left_alone() -> None:
    assert masked_value([1, None, "plain", {"a": True}]) == [1, None, "plain", {"a": True}]
    assert without("expected 5, not 7", 7, whole=True) == "expected 5, not ***"
