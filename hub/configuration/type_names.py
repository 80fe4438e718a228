"""Names the types of settings: for problems, the commented file and the reference."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic.fields import FieldInfo

from hub.configuration.spelling import exact_duration, exact_size, shown
from hub.secret import Secret, named_secret
from hub.settings import Settings, duration_of, size_of

_PLACES = ("_file", "_path", "_dir")
_WORDS: Mapping[object, str] = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
    Path: "path",
    Secret: "where a secret is: 'file:/path' or 'credential:name'",
}
_LIMITS = (("ge", "{} or more"), ("gt", "more than {}"), ("le", "at most {}"), ("lt", "less than {}"))


def kind_of(field: FieldInfo) -> str:
    """Name the type and limits of a setting, such as ``duration, more than 0s`` or ``one of 'a', 'b'``."""
    write = written_by(field)
    limits = [
        form.format(write(getattr(item, name)))
        for name, form in _LIMITS
        for item in _metadata(field)
        if getattr(item, name, None) is not None
    ]
    return ", ".join([_kind(field.annotation, list(_metadata(field))), *limits])


def written_by(field: FieldInfo) -> Callable[[Any], str]:
    """The function that writes the setting's limits: ``1m``, not 60, for a duration."""
    readers = {getattr(item, "func", None) for item in _metadata(field)}
    return exact_duration if duration_of in readers else exact_size if size_of in readers else shown


def is_secret(name: str, field: FieldInfo | None) -> bool:
    """True if the setting's value must not be printed: it is declared as a secret, or named like one."""
    return named_secret(name) or (field is not None and Secret in set(_inner(field.annotation)))


def is_plain_secret(name: str, field: FieldInfo) -> bool:
    """True if the setting's value is a secret itself, not a reference: a text that is named like one."""
    is_text = str in set(_inner(field.annotation)) and written_by(field) is shown
    return is_text and named_secret(name) and not name.endswith(_PLACES)


def tables_in(field: FieldInfo) -> Mapping[str, FieldInfo]:
    """Settings of the tables that the setting takes as values."""
    models = [part for part in _inner(field.annotation) if isinstance(part, type) and issubclass(part, Settings)]
    return {name: inner for model in models for name, inner in model.model_fields.items()}


def _kind(annotation: object, metadata: list[object]) -> str:
    readers = {getattr(item, "func", None) for item in metadata}
    if duration_of in readers:
        return "duration"
    if size_of in readers:
        return "size"
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return f"one of {', '.join(map(repr, arguments))}"
    if origin in (list, tuple, set, frozenset):
        return "list"
    if origin is typing.Annotated:
        return _kind(arguments[0], metadata)
    if arguments and origin is not dict:
        return " or ".join(_kind(part, metadata) for part in arguments if part is not type(None))
    return _WORDS.get(annotation, "table")


def _inner(annotation: object) -> Iterator[object]:
    yield annotation
    for part in typing.get_args(annotation):
        yield from _inner(part)


def _metadata(field: FieldInfo) -> Iterator[object]:
    """Metadata of the field and of its alternatives (``Duration | None``), but not of a list's entries."""
    yield from field.metadata
    for part in (field.annotation, *typing.get_args(field.annotation)):
        yield from getattr(part, "__metadata__", ())
