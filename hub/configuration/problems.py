"""Words problems of a configuration: each sentence names the place and what to write instead."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from hub.configuration.masking import HIDDEN, shown_masked, without
from hub.configuration.spelling import shown
from hub.configuration.toml_lines import Place
from hub.configuration.type_names import is_secret, kind_of, tables_in, written_by
from hub.secret import Secret, named_secret
from hub.text import meant

Where = Callable[[Place], str]
"""Maps the path of a key to a prefix such as ``hub.conf:12: consumers.archive.threads``."""
Fields = Mapping[str, FieldInfo]

_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "string_type": "a text in quotes",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "literal_error": "{expected}",
    "string_pattern_mismatch": "a text that matches {pattern}",
    "string_too_short": "a text of {min_length} characters or more",
    "string_too_long": "a text of at most {max_length} characters",
    "too_short": "a list of {min_length} or more",
    "too_long": "a list of at most {max_length}",
    "greater_than_equal": "{ge} or more",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
}
_BARE = {"a whole number": (int,), "a number": (int, float), "true or false": (bool,)}
_BOUNDS = ("ge", "gt", "le", "lt")


def did_you_mean(word: str, known: Collection[str]) -> str:
    """A hint: the closest known word, or all of them."""
    close = difflib.get_close_matches(word.lower().replace("-", "_"), known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"there are: {', '.join(sorted(known))}" if known else "there are none"


class _Problem(msgspec.Struct, frozen=True):
    place: Place
    secret: bool
    raw: object
    expected: str
    """Empty where ``sentence`` says it all."""
    sentence: str


def problems_of(
    error: ValidationError,
    path: tuple[str, ...],
    table: object,
    where: Where,
    known: Fields,
    only: Collection[str] | None = None,
) -> Iterable[str]:
    """A line for each place in the table at ``path`` where pydantic found a problem.

    :param table: the table as it was given.
    :param known: the settings that the table may have. :param only: those to tell of; ``None``: all.
    """
    items = [item for item in error.errors(include_url=False) if only is None or item["loc"][0] in only]
    found = [_problem(item, table, known) for item in items]
    for place, group in groupby(found, key=lambda problem: problem.place):
        problems = list(group)
        first = problems[0]
        # The alternatives of one setting (``int | str``) fail one by one, and are one problem.
        if all(problem.expected for problem in problems):
            given = HIDDEN if first.secret else shown_masked(first.raw)
            texts = [f"expected {' or '.join(problem.expected for problem in problems)}, not {given}{_hint(first)}"]
        else:
            texts = [problem.sentence for problem in problems if problem.sentence]
        for text in texts:
            yield f"{where((*path, *place))}: {_without_secrets(without(text, first.raw, whole=first.secret), table)}"


def _problem(found: Mapping[str, Any], table: object, known: Fields) -> _Problem:
    kind, context = str(found["type"]), dict(found.get("ctx", {}))
    place, raw = _follow(found["loc"], table, absent=kind in ("missing", "extra_forbidden"))
    levels = list(_levels(place, known))
    secret = any(is_secret(name, fields.get(name)) for name, fields in levels)
    field = levels[0][1].get(levels[0][0]) if levels else None
    write = written_by(field) if field is not None else shown
    for bound in _BOUNDS:
        if bound in context:
            context[bound] = write(context[bound])
    expected = _EXPECTED.get(kind, "").format(**context)
    return _Problem(place, secret, raw, expected, "" if expected else _sentence(kind, found, place, known))


def _levels(place: Place, known: Fields) -> Iterator[tuple[str, Fields]]:
    """Each key of the place with the settings that its table may have."""
    for part in place:
        yield str(part), known
        known = tables_in(known[str(part)]) if str(part) in known else known


def _sentence(kind: str, found: Mapping[str, Any], place: Place, known: Fields) -> str:
    if kind in ("extra_forbidden", "missing"):
        *_, (name, fields) = _levels(place, known)
        if kind == "extra_forbidden":
            return f"unknown setting; {did_you_mean(name, fields)}"
        return f"must be set ({kind_of(fields[name])})" if name in fields else "must be set"
    if kind in ("value_error", "assertion_error"):
        return " ".join(str(found["ctx"]["error"]).split()) or "is not accepted"
    message = " ".join(str(found["msg"]).split())
    return message[:1].lower() + message[1:]


def _without_secrets(text: str, table: object) -> str:
    """Mask values of settings that are named like secrets, which a plugin's check may repeat."""
    for name, value in table.items() if isinstance(table, dict) else ():
        if named_secret(str(name)):
            text = without(text, value, whole=True) if not Secret.is_reference(value) else text
    return text


def _hint(problem: _Problem) -> str:
    """A hint for a value that was nearly right."""
    raw = problem.raw
    if not isinstance(raw, str) or problem.secret:
        return ""
    choices = [word for word in problem.expected.split("'")[1::2] if word]
    if near := meant(raw.lower(), choices):
        return near
    try:
        (bare,) = tomllib.loads(f"x = {raw}").values()
    except (ValueError, RecursionError):
        return ""
    return " (without quotes)" if type(bare) in _BARE.get(problem.expected, ()) else ""


def _follow(loc: Sequence[str | int], table: object, absent: bool) -> tuple[Place, object]:
    """A pydantic location without the names of its alternatives; and the value there."""
    place: list[str | int] = []
    value: Any = table
    for part in loc:
        if part in (value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()):
            value = value[part]
        elif not (absent and part == loc[-1]):
            continue
        place.append(part)
    return tuple(place), value
