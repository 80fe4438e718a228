"""Topic patterns as ZeroMQ subscriptions, which know prefixes only."""

from __future__ import annotations

from collections.abc import Collection


def prefix(pattern: str) -> bytes:
    """The longest prefix that all topics of the pattern have: all before the first wildcard.

    ``a.#`` matches ``a`` too, so its dot is not part of it.
    """
    cut = min((at for at in (pattern.find("*"), pattern.find("#")) if at >= 0), default=len(pattern))
    stem = pattern[:cut]
    return (stem.removesuffix(".") if pattern[cut : cut + 1] == "#" else stem).encode()


def prefixes(patterns: Collection[str]) -> frozenset[bytes]:
    """The fewest subscriptions that bring all that the patterns match. They bring more;
    the hub's router sorts it out."""
    found: list[bytes] = []
    for candidate in sorted({prefix(pattern) for pattern in patterns}):
        # Sorted, a prefix comes right before what it covers.
        if not found or not candidate.startswith(found[-1]):
            found.append(candidate)
    return frozenset(found)
