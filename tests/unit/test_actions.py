"""Every line that the hub logs says by a verb what it is about: ``action``, for a journal's reader to select by."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT

FOLDERS = ("hub", "backends", "consumers", "monitoring")
SOURCES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
LOGGERS = {"log", "_log", "logger", "_logger", "part_log", "getLogger"}


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Of a logger's methods. :param tree: a module's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
            whose = node.func.value.func if isinstance(node.func.value, ast.Call) else node.func.value
            name = whose.attr if isinstance(whose, ast.Attribute) else getattr(whose, "id", "")
            if name in LOGGERS:
                yield node


def constants(tree: ast.AST) -> dict[str, list[ast.expr]]:
    """What was ever given to each name."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).append(node.value)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            found.setdefault(node.target.id, []).append(node.value)
    return found


def has_action(node: ast.expr | None, names: dict[str, list[ast.expr]]) -> bool:
    """True if it is a table with an action: written out, a union with one, or a name that is only ever given one."""
    if isinstance(node, ast.Dict):
        inner = [value for key, value in zip(node.keys, node.values, strict=True) if key is None]
        plain = any(isinstance(key, ast.Constant) and key.value == "action" for key in node.keys)
        return plain or any(has_action(value, names) for value in inner)
    if isinstance(node, ast.BinOp):
        return has_action(node.left, names) or has_action(node.right, names)
    if isinstance(node, ast.Name):
        values = names.get(node.id, [])
        return bool(values) and all(has_action(value, names) for value in values)
    return False


def without_action(source: str) -> list[int]:
    """Lines with a call that says no action."""
    tree = ast.parse(source)
    names = constants(tree)
    extras = [(call, next((word.value for word in call.keywords if word.arg == "extra"), None)) for call in calls(tree)]
    return [call.lineno for call, extra in extras if not has_action(extra, names)]


def test_every_line_says_its_action() -> None:
    found = {str(path.relative_to(ROOT)): without_action(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_some_calls_are_found_at_all() -> None:
    assert sum(len(list(calls(ast.parse(Path(path).read_text(encoding="utf-8"))))) for path in SOURCES) > 20


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("self._log.info('x')", [1]),
        ("self.context.log.error('x', extra={'topic': 't'})", [1]),
        ("part_log('hub', 'x').error('x')", [1]),
        ("log.log(level, 'x', extra=extra)", [1]),
        ("extra = {'a': 1}\nlog.info('x', extra=extra)", [2]),
        ("log.info('x', extra={'action': 'stop'})", []),
        ("log.info('x', extra=extra | {'action': 'stop'})", []),
        ("STOP: dict[str, object] = {'action': 'stop'}\nlog.info('x', extra={**STOP, 'topic': 't'})", []),
        ("math.log(2.0)\nself.client.error('x')", []),
    ],
)
def test_the_check_itself(source: str, missing: list[int]) -> None:
    assert without_action(source) == missing
