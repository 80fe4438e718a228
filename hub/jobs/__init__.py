"""A job queue in a database that one already has: PostgreSQL, or a file of SQLite. See docs/jobs.rst."""

from __future__ import annotations

from hub.jobs.errors import BadDatabase, BadJob, Fenced
from hub.jobs.job import ClaimLimits, Conflict, Handle, Job, JobCounts, JobError, JobState, JobStatus, Unique
from hub.jobs.jobs import Jobs
from hub.jobs.sharded import ShardedJobs

__all__ = [
    "BadDatabase",
    "BadJob",
    "Conflict",
    "Fenced",
    "Handle",
    "Job",
    "JobCounts",
    "JobError",
    "JobState",
    "JobStatus",
    "Jobs",
    "ClaimLimits",
    "ShardedJobs",
    "Unique",
]
