"""Where each key of a TOML file stands: tomllib parses, but does not say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

Path = tuple[str, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]\]?")
_ASSIGNMENT = re.compile(rf"\s*({_DOTTED})\s*=")
_PART = re.compile(_KEY)
_TOKEN = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|#.*|[\[\]{}]')


def key_lines(text: str) -> dict[Path, int]:
    """Line numbers, from 1, of tables and keys. Keys inside inline tables are not in it: look for their table.

    :param text: valid TOML.
    """
    lines: dict[Path, int] = {}
    table: Path = ()
    for number, line in _statements(text):
        if header := _HEADER.match(line):
            table = _path(header.group(1))
            lines.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            lines.setdefault(table + _path(assignment.group(1)), number)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """The lines at which a statement begins: not those inside a longer array, inline table or string."""
    depth, quote = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if not depth and not quote:
            yield number, line
        header = not depth and not quote and _HEADER.match(line)
        at = 0
        while True:
            if quote:
                end = line.find(quote, at)
                if end < 0:
                    break
                at, quote = end + 3, ""
            token = _TOKEN.search(line, at)
            if token is None or token.group().startswith("#"):
                break
            at = token.end()
            if token.group() in ('"""', "'''"):
                quote = token.group()
            elif not header and token.group() in "[{":
                depth += 1
            elif not header and token.group() in "]}":
                depth -= 1


def _path(dotted: str) -> Path:
    return tuple(
        next(iter(tomllib.loads(f"{part} = 0"))) if part[0] in "\"'" else part for part in _PART.findall(dotted)
    )
