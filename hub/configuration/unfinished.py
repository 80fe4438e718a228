"""Detects methods that return unfinished work: a coroutine, a Deferred, a future."""

from __future__ import annotations

import ast
import inspect
import textwrap
import typing
from collections.abc import Awaitable, Iterator
from concurrent.futures import Future
from typing import Any

from twisted.internet.defer import Deferred

UNFINISHED = (Awaitable, Deferred, Future)
TWISTED = "twisted.internet.defer"


def unfinished(cls: type[Any], name: str) -> str | None:
    """Name the unfinished work that a method returns; ``None``: none, as far as can be seen without a call.

    Detected are the decorator ``inlineCallbacks``, the annotation, and a returned call of an ``async`` method of the
    same class. The effect of any other decorator is not detected.
    """
    method = getattr(cls, name)
    if getattr(method, "__globals__", {}).get("__name__") == TWISTED:
        return "a Deferred"
    if hasattr(method, "__wrapped__"):
        return None
    if (annotated := _annotation(method)) is not None and issubclass(annotated, UNFINISHED):
        return f"{annotated.__name__}, by its annotation"
    for called in _returned_calls(method):
        if inspect.iscoroutinefunction(getattr(cls, called, None)):
            return f"what {called}() makes, which is async"
    return None


def _annotation(method: Any) -> type[Any] | None:
    try:
        returned = typing.get_type_hints(method).get("return")
    except Exception:  # noqa: BLE001 - a name may be imported for type checkers only
        return None
    found = typing.get_origin(returned) or returned
    return found if isinstance(found, type) else None


def _returned_calls(method: Any) -> list[str]:
    """Names of the methods of ``self`` whose results it returns."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(method)))
    except (OSError, TypeError, SyntaxError):  # it has no source
        return []
    return [
        call.func.attr
        for call in _returned(tree.body[0])
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "self"
    ]


def _returned(function: ast.AST) -> Iterator[ast.expr | None]:
    """The values that a function returns, without those of nested functions."""
    for node in ast.iter_child_nodes(function):
        if isinstance(node, ast.Return):
            yield node.value
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield from _returned(node)
