"""Nothing from the bus moves a cursor, or can't be told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.text import encodable, printable


def test_control_characters_become_escapes_and_letters_stay() -> None:
    assert printable("a\x1b[31m\n\r\x00 Café 设计") == "a\\x1b[31m\\n\\r\\x00 Café 设计"


@given(st.text())
def test_whatever_comes_out_is_printable(text: str) -> None:
    assert printable(text).isprintable()


def test_half_a_surrogate_pair_is_told_as_an_escape() -> None:
    assert encodable("a\ud800 Café 😀") == "a\\ud800 Café 😀"
