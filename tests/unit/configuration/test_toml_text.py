"""Values and keys as TOML writes them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.configuration.toml_lines import key_path
from hub.configuration.toml_text import toml_key, toml_path, toml_value

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_a_value_is_read_back_as_it_was(value: Any) -> None:
    assert tomllib.loads(f"x = {toml_value(value)}") == {"x": value}


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_a_key_is_read_back_as_it_was(path: list[str]) -> None:
    assert key_path(".".join(map(toml_key, path))) == tuple(path)


def test_what_toml_does_not_know_is_written_as_a_text() -> None:
    assert toml_value(Path("/a")) == '"/a"'
    assert toml_value((1, {2})) == "[1, [2]]"


def test_a_path_shows_the_places_in_lists() -> None:
    assert toml_path(("consumers", "a.b", "topics", 2)) == 'consumers."a.b".topics[2]'
    assert toml_path(()) == ""
