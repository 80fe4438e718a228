"""What is wrong with a configuration, in sentences that name the place and what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from pydantic import ValidationError

Where = Callable[[tuple[str, ...]], str]
"""From the path of a key to a prefix such as ``hub.conf:12: consumers.archive.threads``."""

EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a text in quotes",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
}
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]*@")


def masked(text: str) -> str:
    """Without the passwords of URLs."""
    return _URL_PASSWORD.sub(r"\1***@", text)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A hint: the closest of what is known, or all of it."""
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there are: {', '.join(sorted(known))}" if known else "there are none"


def problems_of(error: ValidationError, path: tuple[str, ...], where: Where, known: Collection[str]) -> Iterable[str]:
    """A line for each error that pydantic found in the table at ``path``.

    :param known: the names of the settings that the table may have.
    """
    for found in error.errors(include_url=False):
        place = path + tuple(str(part) for part in found["loc"] if part not in ("function-plain", "function-before"))
        yield masked(f"{where(place)}: {_sentence(found, known)}")


def _sentence(found: Mapping[str, Any], known: Collection[str]) -> str:
    kind, value = found["type"], found.get("input")
    if kind == "extra_forbidden":
        return f"unknown setting; {did_you_mean(str(found['loc'][-1]), known)}"
    if kind == "missing":
        return "must be set"
    if kind in EXPECTED:
        return f"expected {EXPECTED[kind]}, not {value!r}"
    if kind in ("value_error", "assertion_error"):
        return str(found["ctx"]["error"])
    message = str(found["msg"])
    text = message.removeprefix("Input should be ")
    return (
        f"expected {text}, not {value!r}" if text != message else f"{message[:1].lower()}{message[1:]}, not {value!r}"
    )
