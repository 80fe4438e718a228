"""The documents that measured tables are written into."""

from __future__ import annotations

from pathlib import Path

from benchmarks.venv import ROOT

REPORT = ROOT / "docs" / "performance.rst"


def write_part(name: str, text: str, document: Path = REPORT) -> None:
    """Replace one measured part of a document. It stands between two comments, ``.. begin of NAME`` and its end."""
    begin, end = f".. begin of {name}\n", f".. end of {name}\n"
    before, begun, rest = document.read_text().partition(begin)
    _, ended, after = rest.partition(end)
    if not (begun and ended):
        raise ValueError(f"{document} has no part between {begin!r} and {end!r}")
    document.write_text(f"{before}{begin}\n{text}\n\n{end}{after}")
