"""``--header``: texts, and other values as JSON."""

from __future__ import annotations

import click
import pytest

from hub.cli.publish import headers_of


def test_a_header_is_text_and_behind_a_colon_json() -> None:
    found = headers_of(["a=1", "b:=1", "c:=1.0", "d:=true", 'e:="x"', "f=", "g=:=h", "url=http://x/?a=b"])
    assert {name: repr(value) for name, value in found.items()} == {
        "a": "'1'", "b": "1", "c": "1.0", "d": "True", "e": "'x'", "f": "''", "g": "':=h'", "url": "'http://x/?a=b'",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["a", "=x", ":=1", "a:=", "a:=x", "a:=[1]", "a:=null", "a:=1e999", f"a:={1 << 63}"])
def test_what_is_none_is_told(text: str) -> None:
    with pytest.raises(click.BadParameter):
        headers_of([text])
