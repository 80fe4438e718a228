"""The document that the measured tables are written into."""

from __future__ import annotations

from benchmarks.venv import ROOT

REPORT = ROOT / "docs" / "performance.rst"


def write_part(name: str, text: str) -> None:
    """Replace one measured part of the document. It stands between two comments, ``.. begin of NAME`` and its end."""
    begin, end = f".. begin of {name}\n", f".. end of {name}\n"
    before, begun, rest = REPORT.read_text().partition(begin)
    _, ended, after = rest.partition(end)
    if not (begun and ended):
        raise ValueError(f"{REPORT} has no part between {begin!r} and {end!r}")
    REPORT.write_text(f"{before}{begin}\n{text}\n\n{end}{after}")
