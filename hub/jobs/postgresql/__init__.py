"""The job queue's layout in PostgreSQL: see docs/jobs.rst."""

from __future__ import annotations

from hub.jobs.postgresql.layout import PostgreSQL

__all__ = ["PostgreSQL"]
