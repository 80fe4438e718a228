"""Secrets are hidden in what hosts answer, in each form that hosts give them."""

from __future__ import annotations

import pytest

from hub.consumers.webhook.mask import Mask

URL = "https://example.org/services/T0/B%2BsecretPath/x?v=1&key=secret/Value&bareSecret"
MASK = Mask(["t0k/en"], URL)


@pytest.mark.parametrize(
    "text",
    [
        *(URL, "/services/T0/B%2BsecretPath/x", "B%2bsecretpath", "B+secretPath", "secret/Value", "secret%2FValue"),
        *(
            r"https:\/\/example.org\/services\/T0\/B%2BsecretPath\/x",
            r"secret\/Value",
            "bareSecret",
            "B%252BsecretPath",
        ),
        *("t0k/en", "t0k%2Fen", r"t0k\/en", "v=1&amp;key=secret/Value"),
    ],
)
def test_a_secret_is_hidden(text: str) -> None:
    shown = MASK.over(f"no such thing: {text}!")
    assert "***" in shown
    assert not any(part in shown.lower() for part in ("secret", "t0k", "services"))


def test_all_else_is_shown() -> None:
    for text in ("no such hook at example.org/x?v=1", "T0", ""):
        assert MASK.over(text) == text
        assert Mask().over(text) == text


def test_fields_of_a_template_are_no_secret() -> None:
    mask = Mask((), "https://example.org/longSecret{body.user_name}/y?x={topic}")
    assert mask.over("longSecretann {body.user_name} {topic}") == "***ann {body.user_name} {topic}"
