"""Mutants that no test can notice, with the reason. They are left out of the report."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

ALWAYS = (
    (re.compile(r'float\("-INF"\)'), 'float("-inf")'),  # another name of the same number
    (re.compile(r'\bcast\((?:"[^"]*"|[\w.]+), '), "cast("),  # a type says nothing at run time
    (re.compile(r", (?:strict=\w+)?\)"), ")"),  # what is zipped is made of one length
    (re.compile(r"\b(announce\((?:\w+, )?|note\(|at_once=|excused = )None\b"), r"\1False"),  # nobody asks which one
)
"""Parts of a line in which a change is never noticed, with what they are read as."""
FILE = Path(__file__).with_name("equivalent.toml")


class Change(NamedTuple):
    """What a mutant changes. :ivar old: the lines that it takes away, stripped and joined. :ivar new: likewise."""

    function: str
    old: str
    new: str

    @classmethod
    def of(cls, name: str, diff: str) -> Change:
        """The change of a mutant. :param name: as mutmut has it. :param diff: in the unified format."""
        lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
        old, new = (" ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+")
        return cls(function_of(name), old, new)

    @property
    def nothing(self) -> bool:
        """True if only such parts are changed."""
        old, new = self.old, self.new
        for pattern, replacement in ALWAYS:
            old, new = pattern.sub(replacement, old), pattern.sub(replacement, new)
        return old == new


def function_of(name: str) -> str:
    """The function's dotted name: ``hub.stats.rates.Rates.sample``, of ``hub.stats.rates.xǁRatesǁsample__mutmut_3``."""
    module, _, mangled = name.rpartition("__mutmut_")[0].rpartition(".")
    parts = mangled.split("ǁ")[1:] if "ǁ" in mangled else [mangled.removeprefix("x_")]
    return ".".join([module, *parts])


def known(file: Path = FILE) -> dict[Change, str]:
    """The reason of each equivalent mutant. :raises ValueError: one has none, or is there twice."""
    found: dict[Change, str] = {}
    for one in tomllib.loads(file.read_text(encoding="utf-8")).get("mutant", []):
        change = Change(one["function"], one["old"], one["new"])
        if not one["reason"] or change in found:
            raise ValueError(f"{file}: {change.function}: {change.new!r} has no reason, or is there twice")
        found[change] = one["reason"]
    return found
