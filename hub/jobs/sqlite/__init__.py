"""The job queue's layout in a file of SQLite: see docs/jobs.rst."""

from __future__ import annotations

from hub.jobs.sqlite.database import SQLiteFile, SQLiteMemory
from hub.jobs.sqlite.layout import SQLite

__all__ = ["SQLite", "SQLiteFile", "SQLiteMemory"]
