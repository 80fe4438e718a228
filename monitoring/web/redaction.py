"""Redaction of the hub's status for readers without a token: numbers, states and names remain. Pure.

An error's text may contain a whole message, or a failed statement with all its values. So the types of the status mark
the public texts (:class:`hub.status.metric.Text`); all others are withheld. Errors keep only their class and time, and
no topic or id of a message is shown. The redacted document has the same fields as the whole one; withheld values are
``None``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from hub.status.document import HubStatus
from hub.status.metric import Text
from hub.status.parts import BackendStatus, ServerStatus

Row = Mapping[str, Any]
Redactor = Callable[[Any], Any]

_KIND = re.compile(r"([A-Za-z_]\w*): ")
_PASSWORD = re.compile(r"://\S+@")


def redacted(status: Row) -> dict[str, Any]:
    """Public part of a status, as a new document."""
    found: dict[str, Any] = _STATUS(status)
    return found


def redactor_of(hint: Any) -> Redactor | None:
    """Function that redacts a value of a type. ``None``: the value is public as it is."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is NotRequired:
        return redactor_of(inner[0])
    if origin is Annotated:
        marks = [mark for mark in inner[1:] if isinstance(mark, Text)]
        return _TEXTS[marks[0]] if marks else redactor_of(inner[0])
    if origin in (Union, UnionType):
        (one,) = (each for each in inner if each is not NoneType)
        return _unless_none(redactor_of(one))
    if origin is list:
        return _each(redactor_of(inner[0]))
    if origin is dict:
        return _each_value(redactor_of(inner[1]))
    if is_typeddict(hint):
        return _of_row(hint) if hint.__total__ else _open
    return None if origin is Literal or hint in (int, float, bool) else _withheld


def _withheld(value: Any) -> None:
    """Withhold a value."""


def _unless_none(redact: Redactor | None) -> Redactor | None:
    return redact and (lambda value: None if value is None else redact(value))


def _each(redact: Redactor | None) -> Redactor | None:
    return redact and (lambda values: [redact(value) for value in values or ()])


def _each_value(redact: Redactor | None) -> Redactor | None:
    return redact and (lambda values: {name: redact(value) for name, value in values.items()})


def _of_row(row_type: type) -> Redactor | None:
    hints = get_type_hints(row_type, include_extras=True)
    known = hints.keys()
    redactors = {key: part for key, hint in hints.items() if (part := redactor_of(hint))}

    def redact(row: Row) -> dict[str, Any]:
        found = dict(row)
        for key, part in redactors.items():
            if key in row:
                found[key] = part(row[key])
        for key in row.keys() - known:
            found[key] = _plain(row[key], key)
        return found

    return redact


def _open(row: Row) -> dict[str, Any]:
    """Redact a row of a plugin, whose keys have no types."""
    return {key: _plain(value, key) for key, value in row.items()}


def _plain(value: Any, key: str) -> Any:
    """Redact a plain value: numbers are public, and a few harmless texts, without passwords in URLs."""
    if isinstance(value, Mapping):
        return {name: _plain(inner, name) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, key) for inner in value]
    if key in _ERRORS:
        return _kind(value)
    if isinstance(value, str):
        return _PASSWORD.sub("://***@", value) if key in _PUBLIC else None
    return value


def _before_colon(reason: str) -> str:
    """Reason without its cause, an error after the colon: ``consumer mail does not start``."""
    return reason.partition(": ")[0]


def _kind(error: Any) -> str | None:
    """Class of an error: ``OSError`` of ``OSError: no route to 192.0.2.1``."""
    if not error:
        return None
    found = _KIND.match(error) if isinstance(error, str) else None
    return found[1] if found else "error"


def _marked(hint: Any) -> Iterator[Text]:
    """Marks of a type, at any depth."""
    if get_origin(hint) is Literal:
        yield Text.PUBLIC
    else:
        for each in get_args(hint):
            yield from (each,) if isinstance(each, Text) else _marked(each)


_TEXTS: Mapping[Text, Redactor | None] = {Text.PUBLIC: None, Text.ERROR: _kind, Text.REASON: _before_colon}
_MARKS = {
    key: set(_marked(hint))
    for part in (BackendStatus, ServerStatus)
    for key, hint in get_type_hints(part, include_extras=True).items()
}
_PUBLIC = frozenset(key for key, marks in _MARKS.items() if Text.PUBLIC in marks)
_ERRORS = frozenset(key for key, marks in _MARKS.items() if Text.ERROR in marks)
_STATUS: Any = redactor_of(HubStatus)
