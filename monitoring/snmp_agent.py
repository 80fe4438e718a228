"""Agent for snmpd's ``pass_persist`` protocol, independent of hubs, sockets and time.

snmpd starts a program, writes requests to its standard input, and reads one answer to each from its standard output::

    PING                PONG
    get, OID            the same OID, type and value, a line each; or NONE
    getnext, OID        the next OID that there is, type and value; or NONE
    set, OID, value     not-writable
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from typing import NamedTuple, TextIO

LONGEST_LINE = 4096
"""Characters of a line: the size of snmpd's buffer."""
LARGEST = 2**32
_OID = re.compile(r"\.?([0-9]{1,10}(?:\.[0-9]{1,10}){0,127})")

Oid = tuple[int, ...]
"""OID as a tuple, which compares as OIDs are ordered: number by number, the shorter first."""


class Value(NamedTuple):
    """Value of an object: snmpd's name of its type, and its text, one line that is never empty."""

    kind: str
    text: str


def parse_oid(text: str) -> Oid:
    """Parse an OID: ``1.3.6.1`` or ``.1.3.6.1``. :raises ValueError: it is not one."""
    match = _OID.fullmatch(text.strip())
    numbers = tuple(int(part) for part in match.group(1).split(".")) if match else ()
    if not numbers or max(numbers) >= LARGEST:
        raise ValueError(f"expected an OID such as 1.3.6.1.4.1.8072, not {text!r}")
    return numbers


def format_oid(oid: Oid) -> str:
    """Format an OID as snmpd does: ``.1.3.6.1``."""
    return "".join(f".{number}" for number in oid)


class Tree:
    """Objects in the order of their OIDs."""

    def __init__(self, objects: Mapping[Oid, Value]) -> None:
        self._values = objects
        self._oids = sorted(objects)

    def get(self, oid: Oid) -> Value | None:
        """Value of an object; ``None``: there is no such object."""
        return self._values.get(oid)

    def after(self, oid: Oid) -> Oid | None:
        """First object after an OID, which need not be an object's; ``None``: there is none."""
        index = bisect_right(self._oids, oid)
        return self._oids[index] if index < len(self._oids) else None


class Agent:
    """Agent that answers requests from a tree. :param tree: called for each request."""

    def __init__(self, tree: Callable[[], Tree]) -> None:
        self._tree = tree

    def serve(self, requests: TextIO, answers: TextIO) -> None:
        """Answer until the requests end, or an empty line arrives, by which snmpd announces its end."""
        while (line := requests.readline(LONGEST_LINE)).strip():
            for answer in self._answer(line.strip().lower(), requests):
                answers.write(f"{answer}\n")
            answers.flush()

    def _answer(self, verb: str, requests: TextIO) -> list[str]:
        if verb == "ping":
            return ["PONG"]
        if verb == "set":
            requests.readline(LONGEST_LINE)
            requests.readline(LONGEST_LINE)
            return ["not-writable"]
        if verb not in ("get", "getnext"):
            return ["NONE"]
        try:
            asked = parse_oid(requests.readline(LONGEST_LINE))
        except ValueError:
            return ["NONE"]
        tree = self._tree()
        found = asked if verb == "get" else tree.after(asked)
        value = None if found is None else tree.get(found)
        return ["NONE"] if found is None or value is None else [format_oid(found), *value]
