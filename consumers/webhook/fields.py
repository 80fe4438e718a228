"""Objects of JSON whose texts are templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.consumers.sending.field import Content
from hub.consumers.sending.template import Template

Fields = dict[str, Any]
"""Type of a setting: a table whose texts, at any depth, are templates. Numbers and truth values stay as they are."""


class FieldsTemplate:
    """A table whose texts are templates. Keys are not. :raises ValueError: a template's syntax is wrong."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = _compiled(table)

    def render(self, content: Content) -> dict[str, Any]:
        """The table for a message. :raises Lacking: the message lacks a field."""
        found: dict[str, Any] = _rendered(self._table, content)
        return found


def problem_of(table: Mapping[str, Any]) -> str | None:
    """What is wrong with a table; ``None``: nothing."""
    try:
        FieldsTemplate(table)
    except ValueError as error:
        return str(error)
    return None


def merged(one: dict[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of both, tables in each other at any depth; of two values the other's."""
    found = dict(one)
    for key, value in other.items():
        inner = found.get(key)
        found[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return found


def _compiled(value: Any) -> Any:
    if isinstance(value, str):
        return Template(value)
    if isinstance(value, Mapping):
        return {key: _compiled(inner) for key, inner in value.items()}
    return [_compiled(inner) for inner in value] if isinstance(value, list) else value


def _rendered(value: Any, content: Content) -> Any:
    if isinstance(value, Template):
        return value.render(content)
    if isinstance(value, dict):
        return {key: _rendered(inner, content) for key, inner in value.items()}
    return [_rendered(inner, content) for inner in value] if isinstance(value, list) else value
