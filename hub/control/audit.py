"""The audit log: a line of JSON for each action, with its caller and time, in a file of its own and in the log."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import msgspec

from hub.interfaces import Clock
from hub.partlog import part_log
from hub.statefiles import open_file
from hub.text import encodable, printable
from hub.throttle import Throttle

AUDIT_FILE = "audit.log"
LIMIT = 8 << 20
"""Bytes after which the file is rotated to ``audit.log.1``, replacing the former one: an audit log that fills the disk
would stop the hub."""
LONGEST = 200
"""Characters of one value; an order may be as large as a message."""
LONGEST_OUTCOME = 1000
"""Characters of an outcome; the reason of a refusal may quote the order."""
PERIOD = 600.0
"""Seconds: of equal refusals, and of equal reads, one is written in this time, and then the number of the others."""
MOST_KINDS = 16
"""Kinds of refusals, and of reads, at a time; all beyond it are one. A client may claim a new address each time
(``X-Forwarded-For``)."""
LONGEST_KIND = 200
"""Characters of a reason that are compared; it may quote the order."""
OTHERS = ("others", "", "")

Refusal = tuple[str, str, str]
"""Caller, action and reason; refusals of one kind have all three in common."""


class Audit:
    """The writer of the audit log. Belongs to the reactor's thread. It never raises: an action that can't be written is
    logged all the same.

    :param path: ``None``: no file, only the log.
    :param wall: epoch seconds. :param monotonic: seconds.
    """

    def __init__(self, path: Path | None, wall: Clock, monotonic: Clock = time.monotonic) -> None:
        self._path = path
        self._wall = wall
        self._monotonic = monotonic
        self._refusals = Throttle[Refusal](1, PERIOD, MOST_KINDS, OTHERS)
        self._reads = Throttle[Refusal](1, PERIOD, MOST_KINDS, OTHERS)
        self._log = part_log("hub", "audit")

    def note(self, who: str, action: str, order: msgspec.Struct | None, outcome: str) -> None:
        """Write an action. :param outcome: ``done``, ``begun``, the end, or the reason of a refusal."""
        self._note(who, action, _summary(order) if order is not None else {}, outcome)

    def refused(self, who: str, action: str, why: str) -> None:
        """Write a request that was refused before its action: the client lacks the right, or the request is malformed.
        Anybody can cause any number of these, so equal ones are written once, and then counted."""
        if self._shown(self._refusals, (who, action, why)):
            self._note(who, action, {}, f"refused: {why}")

    def read(self, who: str, action: str) -> None:
        """Write that contents were read. A page or program may read each second, so equal reads are written once, and
        then counted."""
        if self._shown(self._reads, (who, action, "")):
            self._note(who, action, {}, "read")

    def flush(self, final: bool = False) -> None:
        """Write the numbers of refusals and reads whose period is over. Call it periodically.

        :param final: write all numbers, at the end.
        """
        for throttle, outcome in ((self._refusals, "refused {} times more: {}"), (self._reads, "read {} times more")):
            for burst in throttle.over(self._monotonic(), final):
                who, action, why = burst.last or OTHERS
                who = OTHERS[0] if burst.kind == OTHERS else who
                self._note(who, action, {}, outcome.format(burst.held, why))

    def _shown(self, throttle: Throttle[Refusal], event: Refusal) -> bool:
        self.flush()
        who, action, why = event
        burst = throttle.hold((who, action, why[:LONGEST_KIND]), self._monotonic())
        if burst is not None:
            burst.last = event
        return burst is None

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
    """The fields of an order, with long values cut. Of message bodies only the length is written."""
    fields = msgspec.structs.asdict(order)
    return {name: _cut(name, value) for name, value in fields.items() if value is not None}


def _cut(name: str, value: Any) -> Any:
    if name == "body":
        return f"{len(bytes(value))} bytes"
    text = str(value)
    return value if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters)"
