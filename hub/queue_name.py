"""Names of declared queues: the one rule for all doors by which a queue is made."""

from __future__ import annotations

LONGEST = 200
"""Most characters of a name."""
RESERVED = "/*#>?"
"""Characters that mean something else where queues are named: a site, a pattern of names, or options."""


def flaw(name: str) -> str:
    """Return what is wrong with the name of a declared queue, such as ``has a '*'``; empty: it is valid."""
    if not name:
        return "is empty"
    if len(name) > LONGEST:
        return f"has more than {LONGEST} characters"
    if any(map(str.isspace, name)) or not name.isprintable():
        return "has a space or a character that can't be printed"
    found = next((one for one in name if one in RESERVED), None)
    return f"has a {found!r}" if found else ""
