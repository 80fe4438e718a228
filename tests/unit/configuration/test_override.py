"""One setting from outside the files."""

from __future__ import annotations

from typing import Any

import pytest

from hub.configuration.override import Override, spelled, value_of


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("4", 4),
        ("true", True),
        ('["a.#"]', ["a.#"]),
        ('"4"', "4"),
        ("{a = 1}", {"a": 1}),
        ("tcp://127.0.0.1:1", "tcp://127.0.0.1:1"),
        ("0660", "0660"),
        ("", ""),
        ("1\nother = 2", "1\nother = 2"),
        ("[" * 5000, "[" * 5000),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_value_is_toml_or_else_a_text(raw: str, value: Any) -> None:
    assert value_of(raw) == value


def test_a_variable_with_two_underscores_is_a_setting() -> None:
    found = Override.of_variable("HUBBUB_CONSUMERS__My_One__THREADS", "4")
    assert found == Override(("consumers", "my_one", "threads"), 4, "$HUBBUB_CONSUMERS__My_One__THREADS")
    for name in ("HUBBUB_MESSAGES", "HUBBUB_REQUIRE_ALL", "HOME", "MY_HUBBUB_A__B"):
        assert Override.of_variable(name, "4") is None


def test_a_flag_is_a_key_and_a_value() -> None:
    found = Override.of_flag(' consumers."a.b".topics = ["x=y"]')
    assert (found.words, found.value) == (("consumers", "a.b", "topics"), ["x=y"])


@pytest.mark.parametrize("text", ["", "=", "a", "=4", "a..b=4", "a b=4", "\x1b[31m", "db:postgresql://a:hunter2@h/d"])
def test_what_is_no_flag_is_refused_without_secrets_and_control_characters(text: str) -> None:
    with pytest.raises(ValueError, match="expected PATH=VALUE, such as") as caught:
        Override.of_flag(text)
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_name_is_found_in_its_own_spelling() -> None:
    assert spelled({"My-One.x": 1, "other": 2}, "my_one_x") == "My-One.x"
    assert spelled({"a-b": 1, "a_b": 2}, "a_b") == "a_b"
    assert spelled({}, "new") == "new"
    with pytest.raises(ValueError, match="'a_b' may mean 'a-b' or 'A_b': use --set"):
        spelled({"a-b": 1, "A_b": 2}, "a_b")
