"""Inserts the jobs of cron entries, each slot once, whichever hubs have the entry.

Each job holds a key made of the entry's name and its slot, until its exit status is pruned, also as a dead letter: of
several hubs at one database the first to come inserts it. Afterwards nobody knows whether another hub has done it, so a
slot is caught up only for a little less than ``keep_finished``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec

from hub.interfaces import Clock
from hub.job_database.settings import CronEntry
from hub.jobs import BadJob, Jobs
from hub.jobs.schedule import CronSchedule, Due
from hub.partlog import PartLog
from hub.statefiles import write_whole

KNOWN = 0.9
"""Share of ``keep_finished`` within which a slot is caught up: pruning is not to the second."""


class LastSlot(msgspec.Struct):
    """The last slot of an entry, in the file. One whose line or zone has changed is a new entry."""

    line: str
    zone: str
    slot: Annotated[datetime, msgspec.Meta(tz=True)]


class Cron:
    """The cron entries of one database. Belongs to one thread, but for ``status``.

    :param file: keeps the last slots. :param known: seconds for which the database knows a slot.
    """

    def __init__(
        self, entries: Mapping[str, CronEntry], jobs: Jobs, file: Path, wall: Clock, known: float, log: PartLog
    ) -> None:
        self._entries = entries
        self._schedules = {name: CronSchedule(entry.line, entry.zone) for name, entry in entries.items()}
        self._jobs = jobs
        self._file = file
        self._wall = wall
        self._known = timedelta(seconds=known * KNOWN)
        self._log = log
        self._last: dict[str, LastSlot] | None = None
        self._inserted = dict.fromkeys(entries, 0)
        self._skipped = dict.fromkeys(entries, 0)
        self._next: dict[str, datetime] = {}

    def round(self) -> None:
        """Insert what is due. :raises Unavailable: the database is away; nothing is forgotten."""
        now = datetime.fromtimestamp(self._wall(), UTC)
        last = self._last = self._read(now) if self._last is None else self._last
        changed = False
        for name, entry in self._entries.items():
            if name in self._next and now < self._next[name] and now >= last[name].slot:
                continue
            since = max(last[name].slot, now - self._known)
            due = self._schedules[name].due(since, now, entry.catch_up)
            self._insert(name, entry, due)
            if due.last != last[name].slot:
                last[name].slot, changed = due.last, True
            self._next[name] = self._schedules[name].next_slot(max(due.last, now))
        if changed:
            self._write(last)

    def _insert(self, name: str, entry: CronEntry, due: Due) -> None:
        for slot in due.slots:
            key = f"{name}@{slot.isoformat().replace('+00:00', 'Z')}"
            try:
                handle = self._jobs.insert(
                    entry.queue,
                    entry.body,
                    key=key,
                    unique="kept-or-dead",
                    priority=entry.priority,
                    max_retries=entry.max_retries,
                    tags=["cron", *entry.tags],
                )
            except BadJob as error:  # the settings were checked: this is not to stop the other entries
                self._log.error("cron entry %s: %s", name, error, extra={"action": "cron"})
                continue
            self._inserted[name] += handle.new
        if due.skipped:
            self._skipped[name] += due.skipped
            self._log.warning(
                "cron entry %s: %d slots were missed and are left out", name, due.skipped, extra={"action": "cron"}
            )

    def status(self) -> dict[str, Any]:
        """Of each entry the next slot in epoch seconds, jobs that were inserted here, slots that were left out."""
        return {
            name: {
                "next": self._next[name].timestamp() if name in self._next else None,
                "inserted": self._inserted[name],
                "skipped": self._skipped[name],
            }
            for name in self._entries
        }

    def _read(self, now: datetime) -> dict[str, LastSlot]:
        """The last slots; a new entry has no slots before now."""
        try:
            found = msgspec.json.decode(self._file.read_bytes(), type=dict[str, LastSlot])
        except FileNotFoundError:
            found = {}
        except (OSError, msgspec.DecodeError) as error:
            text = "the last slots of cron entries can't be read, what was missed is not caught up: %s: %s"
            self._log.error(text, self._file, error, extra={"action": "cron"})
            found = {}
        entries = self._entries.items()
        wanted = {name: LastSlot(entry.line, entry.zone, now) for name, entry in entries}
        kept = {
            name: found[name]
            for name, new in wanted.items()
            if name in found and (found[name].line, found[name].zone) == (new.line, new.zone)
        }
        last = {**wanted, **kept}
        if last != found:
            self._write(last)
        return last

    def _write(self, last: Mapping[str, LastSlot]) -> None:
        try:
            write_whole(self._file, msgspec.json.encode(last))
        except OSError as error:
            text = "the last slots of cron entries can't be kept: %s: %s"
            self._log.error(text, self._file, error, extra={"action": "cron"})
