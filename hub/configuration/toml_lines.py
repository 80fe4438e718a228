"""Where each key of a TOML file stands: tomllib parses, but does not say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

KeyPath = tuple[str, ...]

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
"""The rest of a long string; up to two quotes may stand right before its end."""


def key_lines(text: str) -> dict[KeyPath, int]:
    """Line numbers, from 1, of tables and keys. Keys inside inline tables are not in it: look for their table.

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
    """The parts of ``consumers."my.one".threads``; ``None``: it is no key of TOML's."""
    if re.fullmatch(_DOTTED, dotted) is None:
        return None
    try:
        return _path(dotted)
    except tomllib.TOMLDecodeError:
        return None


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """The lines at which a statement begins: not those inside a longer array, inline table or string."""
    depth, quote = 0, ""
    # Not splitlines(): to TOML only a line feed ends a line, and a form feed or U+2028 does not.
    for number, line in enumerate(text.split("\n"), 1):
        begins = not depth and not quote
        if begins:
            yield number, line
        header = _HEADER.match(line) if begins else None
        nested, quote = _scan(line, header.end() if header else 0, quote)
        depth += nested


def _scan(line: str, at: int, quote: str) -> tuple[int, str]:
    """How many brackets the rest of a line leaves open, and the quotes of the long string that goes on after it."""
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
