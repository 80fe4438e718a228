"""Nothing from the bus moves a cursor."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.text import printable


def test_control_characters_become_escapes_and_letters_stay() -> None:
    assert printable("a\x1b[31m\n\r\x00 Café 设计") == "a\\x1b[31m\\n\\r\\x00 Café 设计"


@given(st.text())
def test_whatever_comes_out_is_printable(text: str) -> None:
    assert printable(text).isprintable()
