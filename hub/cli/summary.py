"""One-line summaries of commands, read from their source: the list of all commands imports none of them."""

from __future__ import annotations

import ast
from pathlib import Path

import hub
from hub.text import first_sentence

PACKAGE = Path(hub.__file__).parent


def summary_of(target: str) -> str | None:
    """The first sentence of a command's docstring; ``None`` if the source has none.

    :param target: ``module:function``, of this package.
    """
    module, _, function = target.partition(":")
    path = PACKAGE.joinpath(*module.split(".")[1:])
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return _summary(file, function)
    return None


def _summary(file: Path, function: str) -> str | None:
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            text = ast.get_docstring(node)
            return None if text is None else first_sentence(text)
    return None
