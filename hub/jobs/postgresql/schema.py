"""Schema in PostgreSQL, and its migrations."""

from __future__ import annotations

from hub.jobs.connections import Link
from hub.jobs.errors import BadDatabase

VERSION = 10
"""Version of the schema that this library works with."""
OLDEST_SERVER = 130000
"""PostgreSQL 13 has ``xid8`` and ``pg_snapshot``."""
ENCODINGS = ("UTF8", "SQL_ASCII")
"""Encodings of a database that take every text; the second one takes bytes, and all programs write UTF-8."""
TABLES = """
CREATE TABLE hubbub_jobs.lane (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue text NOT NULL,
    priority smallint NOT NULL,
    UNIQUE (queue, priority)
);
CREATE TABLE hubbub_jobs.paused (
    queue text PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT now(),
    reason text NOT NULL
);
CREATE TABLE hubbub_jobs.process (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    started timestamptz NOT NULL DEFAULT now(),
    seen timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE hubbub_jobs.segment (
    number integer PRIMARY KEY,
    first_job bigint NOT NULL,
    closed timestamptz,
    dropped timestamptz
);
CREATE SEQUENCE hubbub_jobs.job_id;
CREATE SEQUENCE hubbub_jobs.claim_id;
CREATE SEQUENCE hubbub_jobs.segment_number MINVALUE 0 START 0;
CREATE TABLE hubbub_jobs.job (
    id bigint NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    created timestamptz NOT NULL DEFAULT now(),
    lane integer NOT NULL,
    attempt integer NOT NULL,
    max_retries integer NOT NULL,
    key text,
    tags text[],
    body bytea NOT NULL
);
CREATE TABLE hubbub_jobs.claim (
    id bigint NOT NULL,
    lane integer NOT NULL,
    seq bigint NOT NULL,
    prev pg_snapshot NOT NULL,
    snap pg_snapshot NOT NULL,
    at_xid xid8 NOT NULL,
    at_id bigint NOT NULL,
    process bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    ids bigint[] NOT NULL
);
CREATE TABLE hubbub_jobs.outcome (
    claim bigint NOT NULL,
    ending text NOT NULL,
    status integer NOT NULL,
    lane integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    closes boolean NOT NULL,
    ids bigint[] NOT NULL,
    attempts integer[] NOT NULL
);
CREATE TABLE hubbub_jobs.kept_outcome (LIKE hubbub_jobs.outcome INCLUDING ALL);
CREATE TABLE hubbub_jobs.later (
    id bigint PRIMARY KEY,
    created timestamptz NOT NULL,
    due timestamptz NOT NULL,
    lane integer NOT NULL,
    attempt integer NOT NULL,
    max_retries integer NOT NULL,
    key text,
    tags text[],
    body bytea NOT NULL
);
CREATE INDEX later_due ON hubbub_jobs.later (due);
CREATE INDEX later_lane ON hubbub_jobs.later (lane, due);
CREATE TABLE hubbub_jobs.dead (
    id bigint PRIMARY KEY,
    created timestamptz NOT NULL,
    died timestamptz NOT NULL DEFAULT now(),
    lane integer NOT NULL,
    attempt integer NOT NULL,
    max_retries integer NOT NULL,
    key text,
    tags text[],
    body bytea NOT NULL,
    reason text NOT NULL
);
CREATE INDEX dead_lane ON hubbub_jobs.dead (lane, died);
CREATE INDEX dead_died ON hubbub_jobs.dead (died);
CREATE TABLE hubbub_jobs.error (
    job bigint NOT NULL,
    attempt integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    text text NOT NULL
);
CREATE INDEX error_job ON hubbub_jobs.error (job);
CREATE INDEX error_at ON hubbub_jobs.error (at);
CREATE TABLE hubbub_jobs.cancelled (job bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());
CREATE TABLE hubbub_jobs.live_key (
    queue text NOT NULL,
    key text NOT NULL,
    job bigint NOT NULL,
    keeps text NOT NULL,
    running boolean NOT NULL DEFAULT false,
    finished timestamptz,
    PRIMARY KEY (queue, key)
);
CREATE INDEX live_key_job ON hubbub_jobs.live_key (job);
CREATE INDEX live_key_finished ON hubbub_jobs.live_key (finished) WHERE finished IS NOT NULL;
"""
QUEUES_OF_ERRORS = "ALTER TABLE hubbub_jobs.error ADD COLUMN queue text NOT NULL DEFAULT ''"
INDEX_OF_COALESCE = "(lane, coalesce, xid, id) WHERE coalesce IS NOT NULL"
COALESCE = f"""
ALTER TABLE hubbub_jobs.job ADD COLUMN coalesce text COLLATE "C";
ALTER TABLE hubbub_jobs.later ADD COLUMN coalesce text COLLATE "C";
ALTER TABLE hubbub_jobs.dead ADD COLUMN coalesce text COLLATE "C";
CREATE TABLE hubbub_jobs.taken (
    job bigint NOT NULL,
    xid xid8 NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job, xid)
);
CREATE INDEX taken_at ON hubbub_jobs.taken (at);
DO $$ DECLARE segment regclass; BEGIN
    FOR segment IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'hubbub_jobs.job'::regclass LOOP
        EXECUTE 'CREATE INDEX ON ' || segment || ' {INDEX_OF_COALESCE}'; END LOOP; END $$
"""  # noqa: S608 - names of ours
KEYS_SINCE = "ALTER TABLE hubbub_jobs.live_key ADD COLUMN since timestamptz NOT NULL DEFAULT now()"
SLEEPING_PROCESSES = "ALTER TABLE hubbub_jobs.process ADD COLUMN asleep_until timestamptz"
LOCKS = """
ALTER TABLE hubbub_jobs.job ADD COLUMN lock text;
ALTER TABLE hubbub_jobs.later ADD COLUMN lock text;
ALTER TABLE hubbub_jobs.dead ADD COLUMN lock text;
CREATE TABLE hubbub_jobs.queue_limit (
    queue text PRIMARY KEY,
    per_lock integer NOT NULL DEFAULT 1,
    rate float8,
    burst float8 NOT NULL DEFAULT 1,
    tokens float8 NOT NULL DEFAULT 0,
    refilled timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE hubbub_jobs.lock_holder (
    queue text NOT NULL,
    lock text NOT NULL,
    job bigint NOT NULL,
    priority smallint NOT NULL,
    running boolean NOT NULL,
    PRIMARY KEY (queue, lock, job)
);
CREATE TABLE hubbub_jobs.parked (
    id bigint PRIMARY KEY,
    created timestamptz NOT NULL,
    queue text NOT NULL,
    priority smallint NOT NULL,
    lane integer NOT NULL,
    attempt integer NOT NULL,
    max_retries integer NOT NULL,
    key text,
    tags text[],
    coalesce text COLLATE "C",
    lock text NOT NULL,
    body bytea NOT NULL
);
CREATE INDEX parked_lock ON hubbub_jobs.parked (queue, lock, priority DESC, id);
CREATE INDEX parked_lane ON hubbub_jobs.parked (lane, id)
"""
NOTES = """
CREATE TABLE hubbub_jobs.note (
    job bigint NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    text text NOT NULL,
    PRIMARY KEY (job, kind, name)
);
CREATE INDEX note_result ON hubbub_jobs.note (at) WHERE kind = 'result'
"""
SILENT_PROCESSES = "ALTER TABLE hubbub_jobs.process ADD COLUMN silent_since timestamptz"
TRACES = """
ALTER TABLE hubbub_jobs.job ADD COLUMN trace text;
ALTER TABLE hubbub_jobs.later ADD COLUMN trace text;
ALTER TABLE hubbub_jobs.dead ADD COLUMN trace text;
ALTER TABLE hubbub_jobs.parked ADD COLUMN trace text
"""
LEASES_AND_COMPANY = """
ALTER TABLE hubbub_jobs.process ADD COLUMN lease float8;
ALTER TABLE hubbub_jobs.job ADD COLUMN alone boolean NOT NULL DEFAULT false;
ALTER TABLE hubbub_jobs.later ADD COLUMN alone boolean NOT NULL DEFAULT false;
ALTER TABLE hubbub_jobs.dead ADD COLUMN alone boolean NOT NULL DEFAULT false;
ALTER TABLE hubbub_jobs.parked ADD COLUMN alone boolean NOT NULL DEFAULT false
"""
"""A program of an older version that still runs writes neither: its own processes have no lease, and it lets no job
be alone."""
MIGRATIONS = [
    *(TABLES, QUEUES_OF_ERRORS, COALESCE, KEYS_SINCE, SLEEPING_PROCESSES, LOCKS, NOTES, SILENT_PROCESSES),
    *(TRACES, LEASES_AND_COMPANY),
]
"""Statements that lead from each version to the next, beginning with none."""


def migrate(link: Link) -> bool:
    """Make the schema, or bring it to this version, in the link's transaction: one that fails leaves the old one.

    :returns: whether it is new. :raises BadDatabase: the schema, or the server, can't be used.
    """
    server, encoding = link.rows("SELECT current_setting('server_version_num'), current_setting('server_encoding')")[0]
    if int(server) < OLDEST_SERVER:
        raise BadDatabase(f"jobs need PostgreSQL 13 or newer, not {server}")
    if encoding not in ENCODINGS:  # the error of a job that can't be written would keep the job in hand for ever
        raise BadDatabase(f"jobs need a database with the encoding UTF8, not {encoding}")
    if is_newest(link):
        return False
    if not link.rows("SELECT 1 FROM pg_namespace WHERE nspname = 'hubbub_jobs'"):
        link.run("CREATE SCHEMA IF NOT EXISTS hubbub_jobs")
    link.run(
        "CREATE TABLE IF NOT EXISTS hubbub_jobs.version (one boolean PRIMARY KEY CHECK (one), version integer NOT NULL)"
    )
    link.run("INSERT INTO hubbub_jobs.version VALUES (true, 0) ON CONFLICT DO NOTHING")
    ((found,),) = link.rows("SELECT version FROM hubbub_jobs.version FOR UPDATE")  # the others wait here
    check(found)
    for statements in MIGRATIONS[found:]:
        for statement in statements.split(";\n"):
            if statement.strip():
                link.run(statement)
    link.run("UPDATE hubbub_jobs.version SET version = %(version)s", {"version": VERSION})
    return bool(found == 0)


def version(link: Link) -> int:
    """Version of the schema that is there; 0: none. :raises BadDatabase: it is newer than this library's."""
    if not link.rows("SELECT 1 WHERE to_regclass('hubbub_jobs.version') IS NOT NULL"):
        return 0
    found = link.rows("SELECT version FROM hubbub_jobs.version")
    return check(found[0][0]) if found else 0


def is_newest(link: Link) -> bool:
    """True if there is nothing to migrate. :raises BadDatabase: it is newer than this library's."""
    return version(link) == VERSION


def require(link: Link) -> None:
    """Pass a schema of this version. :raises BadDatabase: there is none, or another."""
    found = version(link)
    if found == 0:
        raise BadDatabase("the database has no tables for jobs: no job was ever inserted")
    if found < VERSION:
        raise BadDatabase(
            f"the jobs' schema has version {found}, this program needs {VERSION}: the first insertion migrates it"
        )


def check(found: int) -> int:
    """Pass a version. :raises BadDatabase: it is newer than this library's."""
    if found > VERSION:
        raise BadDatabase(
            f"the jobs' schema has version {found}, this program knows versions up to {VERSION}: upgrade it"
        )
    return found
