"""Who did what to the hub, and when: a line of JSON for each action, in a file of its own and in the log."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import msgspec

from hub.control.refusals import Refusal, Refusals
from hub.interfaces import Clock
from hub.partlog import part_log
from hub.statefiles import open_file
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
    :param wall: epoch seconds. :param monotonic: seconds.
    """

    def __init__(self, path: Path | None, wall: Clock, monotonic: Clock = time.monotonic) -> None:
        self._path = path
        self._wall = wall
        self._refusals = Refusals(monotonic)
        self._reads = Refusals(monotonic)
        self._log = part_log("hub", "audit")

    def note(self, who: str, action: str, order: msgspec.Struct | None, outcome: str) -> None:
        """One action. :param outcome: ``done``, ``begun``, how it ended, or why it was refused."""
        self._note(who, action, _summary(order) if order is not None else {}, outcome)

    def refused(self, who: str, action: str, why: str) -> None:
        """One that was not even looked at, for who asked may not, or said nothing that can be understood. Anybody may
        ask that as often as he likes, so of many alike only a few are written down, with their number."""
        if self._refusals.met(Refusal(who, action, why)):
            self._note(who, action, {}, f"refused: {why}")
        self.flush()

    def read(self, who: str, action: str) -> None:
        """Somebody read contents. A page or a program may do so each second: of many alike only a few are written down,
        with their number."""
        if self._reads.met(Refusal(who, action, "")):
            self._note(who, action, {}, "read")
        self.flush()

    def flush(self, final: bool = False) -> None:
        """Write how many refusals were not written, of those whose time is over. To be called now and then.

        :param final: of all of them: it is the end.
        """
        for one, count in self._refusals.over(final):
            self._note(one.who, one.action, {}, f"refused {count} times more: {one.why}")
        for one, count in self._reads.over(final):
            self._note(one.who, one.action, {}, f"read {count} times more")

    def _note(self, who: str, action: str, order: dict[str, Any], outcome: str) -> None:
        outcome = encodable(outcome[:LONGEST_OUTCOME])
        entry = {"time": self._wall(), "who": who, "action": action, "order": order, "outcome": outcome}
        line = msgspec.json.encode(entry)
        told = (action, msgspec.json.encode(order).decode(), who, outcome)
        self._log.info("%s %s by %s: %s", *map(printable, told), extra={"action": "audit"})
        if self._path is not None:
            try:
                self._write(self._path, line + b"\n")
            except OSError as error:
                self._log.error("the audit log can't be written: %s", error, extra={"action": "audit"})

    def _write(self, path: Path, line: bytes) -> None:
        descriptor = open_file(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
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
