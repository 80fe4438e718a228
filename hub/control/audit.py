"""Who did what to the hub, and when: a line of JSON for each action, in a file of its own and in the log."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from hub.interfaces import Clock
from hub.partlog import part_log
from hub.text import encodable, printable

AUDIT_FILE = "audit.log"
LIMIT = 8 << 20
"""Bytes after which the file is set aside as ``audit.log.1``, in the place of the one before it: an audit that fills
the disk would stop the hub."""
LONGEST = 200
"""Characters of one value; what was asked for may be as large as a message."""
LONGEST_OUTCOME = 1000
"""Characters; why it was refused may quote what was asked for."""


class Audit:
    """Belongs to the reactor's thread. It never raises: an action that can't be written down is logged all the same.

    :param path: ``None``: no file, only the log.
    :param wall: epoch seconds.
    """

    def __init__(self, path: Path | None, wall: Clock) -> None:
        self._path = path
        self._wall = wall
        self._log = part_log("hub", "audit")

    def note(self, who: str, action: str, order: msgspec.Struct, outcome: str) -> None:
        """One action. :param outcome: ``done``, ``begun``, or why it was refused."""
        outcome = encodable(outcome[:LONGEST_OUTCOME])
        entry = {"time": self._wall(), "who": who, "action": action, "order": _summary(order), "outcome": outcome}
        line = msgspec.json.encode(entry)
        told = (action, line[line.index(b'"order":') + 8 : line.rindex(b',"outcome":')].decode(), who, outcome)
        self._log.info("%s %s by %s: %s", *map(printable, told), extra={"action": "audit"})
        if self._path is not None:
            try:
                self._write(self._path, line + b"\n")
            except OSError as error:
                self._log.error("the audit log can't be written: %s", error, extra={"action": "audit"})

    def _write(self, path: Path, line: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, line)
            size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        if size > LIMIT:
            path.replace(path.with_name(path.name + ".1"))


def _summary(order: msgspec.Struct) -> dict[str, Any]:
    """What was asked for, with long values cut. Bodies of messages are not written down, only how long they are."""
    fields = msgspec.structs.asdict(order)
    return {name: _cut(name, value) for name, value in fields.items() if value is not None}


def _cut(name: str, value: Any) -> Any:
    if name == "body":
        return f"{len(bytes(value))} bytes"
    text = str(value)
    return value if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"
