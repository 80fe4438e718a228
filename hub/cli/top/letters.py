"""Dead letters in ``hubbub top``: grouped by error, and a single one whole. Pure."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from hub.text import printable

Letter = Mapping[str, Any]
LONGEST = 100
"""Most characters in a cell of a table."""


@dataclass(frozen=True)
class LetterGroup:
    """Dead letters of one error. :ivar letters: the oldest first; at least one."""

    error: str
    reason: str
    letters: Sequence[Letter]

    @property
    def key(self) -> str:
        """The key of the row in the table."""
        return f"{self.error}\0{self.reason}"

    @property
    def numbers(self) -> list[int]:
        """Numbers of the dead letters."""
        return [letter["number"] for letter in self.letters]

    def cells(self) -> list[Text]:
        """The cells of the row: see ``GROUP_HEADINGS``."""
        first, last = (_when(self.letters[at]["buried_at"]) for at in (0, -1))
        return [cell(str(len(self.letters))), cell(first), cell(last), cell(self.error), cell(self.reason)]


GROUP_HEADINGS = ("count", "first", "last", "error", "reason")
LETTER_HEADINGS = ("number", "buried", "attempts", "topic", "id")


def grouped(letters: Sequence[Letter]) -> list[LetterGroup]:
    """Dead letters grouped by error and reason, the largest group first."""
    groups: dict[tuple[str, str], list[Letter]] = defaultdict(list)
    for letter in letters:
        groups[letter["error"], letter["reason"]].append(letter)
    found = [LetterGroup(error, reason, members) for (error, reason), members in groups.items()]
    return sorted(found, key=lambda group: -len(group.letters))


def letter_cells(letter: Letter) -> list[Text]:
    """The cells of the row: see ``LETTER_HEADINGS``."""
    values = (letter["number"], _when(letter["buried_at"]), letter["attempts"], letter["topic"], letter["id"])
    return [cell(str(value)) for value in values]


def whole(letter: Letter) -> Iterator[str]:
    """Lines of a whole dead letter; those of the traceback may be unprintable."""
    for name in ("number", "id", "topic", "attempts", "reason", "error"):
        yield f"{name + ':':<13}{printable(str(letter[name]))}"
    for name in ("received_at", "buried_at"):
        yield f"{name.removesuffix('_at') + ':':<13}{_when(letter[name])}"
    for name, value in letter["headers"].items():
        yield printable(f"{'header:':<13}{name}: {value}")
    yield f"{'body:':<13}{printable(letter['body'])}"
    yield from (f"    {line}" for line in letter["traceback"].splitlines())


def cell(text: str) -> Text:
    """A table cell with the printable beginning of any text."""
    shown = printable(text[:LONGEST])
    return Text(shown + ("…" if len(text) > LONGEST else ""), no_wrap=True)


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
