"""Settings of the trigger that can't be."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from hub.consumers.trigger.settings import Config


def test_a_command_is_all_it_needs() -> None:
    found = Config.model_validate({"command": ["sh", "-c", "exit 0"]})
    assert (found.input, found.longest, found.grace, found.stop_after) == ("body", 60.0, 5.0, 10.0)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"command": []}, "at least 1 item"),
        ({"command": "cat"}, "valid list"),
        ({"command": ["cat", "a\0b"]}, "pattern"),
        ({"command": ["no-such-program"]}, "command: no program 'no-such-program' is in PATH"),
        ({"command": ["/etc"]}, "command: /etc is not a file"),
        ({"command": ["cat"], "environment": {"A-B": "1"}}, "expected names of letters, digits and '_', not 'A-B'"),
        ({"command": ["cat"], "environment": {"A": "1\0"}}, "environment: 'A' has a NUL in its value"),
        ({"command": ["cat"], "environment": {"HUBBUB_TOPIC": "x"}}, "that variable is the message's"),
        ({"command": ["cat"], "environment": {"HUBBUB_HEADER_X": "x"}}, "that variable is the message's"),
        ({"command": ["cat"], "environment": {"PATH": "/none"}}, "no program 'cat' is in PATH, /none"),
        ({"command": ["cat"], "longest": 0}, "greater than 0"),
        ({"command": ["cat"], "rate": "fast"}, "expected a rate such as"),
    ],
)
def test_what_can_not_be_is_told(settings: dict[str, object], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        Config.model_validate(settings)
