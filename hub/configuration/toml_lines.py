"""Finds the line of each key in a TOML file; tomllib does not tell it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

KeyPath = tuple[str, ...]
Place = tuple[str | int, ...]
"""The place of a setting: its keys, and in a list the number of the entry."""

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*({_DOTTED})[ \t]*\]\]?")
_ASSIGNMENT = re.compile(rf"[ \t]*({_DOTTED})[ \t]*=")
_PART = re.compile(_KEY)
_TOKEN = re.compile(r'"""|\'\'\'|"(?:[^"\\]|\\.)*"|\'[^\']*\'|#.*|[\[\]{}]')
_END = {
    '"""': re.compile(r'(?:\\.|[^\\"]|"{1,2}(?!"))*"{3,5}'),
    "'''": re.compile(r"(?:[^']|'{1,2}(?!'))*'{3,5}"),
}
"""Patterns for the rest of a multi-line string; up to two quotes may stand right before its end."""


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line numbers, from 1, of tables and keys. Keys in inline tables are missing: look up their table.

    :param text: valid TOML.
    """
    lines: dict[KeyPath, int] = {}
    table: KeyPath = ()
    for number, line in _statements(text):
        if header := _HEADER.match(line):
            table = _path(header.group(1))
            lines.setdefault(table, number)
        elif assignment := _ASSIGNMENT.match(line):
            lines.setdefault(table + _path(assignment.group(1)), number)
    return lines


def key_path(dotted: str) -> KeyPath | None:
    """The parts of ``consumers."my.one".threads``; ``None``: it is not a TOML key."""
    if re.fullmatch(_DOTTED, dotted) is None:
        return None
    try:
        return _path(dotted)
    except tomllib.TOMLDecodeError:
        return None


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Lines where a statement begins; lines inside a longer array, inline table or string are skipped."""
    depth, quote = 0, ""
    # Not splitlines(): in TOML only a line feed ends a line; a form feed or U+2028 does not.
    for number, line in enumerate(text.split("\n"), 1):
        begins = not depth and not quote
        if begins:
            yield number, line
        header = _HEADER.match(line) if begins else None
        nested, quote = _scan(line, header.end() if header else 0, quote)
        depth += nested


def _scan(line: str, at: int, quote: str) -> tuple[int, str]:
    """Count the brackets that the rest of a line leaves open, and return the quotes of a string that continues after
    it."""
    depth = 0
    while True:
        if quote:
            end = _END[quote].match(line, at)
            if end is None:
                return depth, quote
            at, quote = end.end(), ""
        token = _TOKEN.search(line, at)
        if token is None or token.group().startswith("#"):
            return depth, ""
        at = token.end()
        if token.group() in _END:
            quote = token.group()
        elif token.group() in "[{":
            depth += 1
        elif token.group() in "]}":
            depth -= 1


def _path(dotted: str) -> KeyPath:
    return tuple(
        next(iter(tomllib.loads(f"{part} = 0"))) if part[0] in "\"'" else part for part in _PART.findall(dotted)
    )
