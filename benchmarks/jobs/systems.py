"""Job queues to measure, each in processes of its own that print a line of JSON."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.jobs.server import PostgreSQLServer
from benchmarks.venv import ROOT, Venv

HERE = Path(__file__).parent
LONGEST = 600.0
"""Seconds of one measurement."""
PROCRASTINATE = Venv(".venv-procrastinate", ("procrastinate==3.10.0", "psycopg[binary]==3.3.9"))
THESCHWARTZ = ROOT / ".venv-theschwartz"
"""Debian's packages of TheSchwartz, unpacked; nothing is installed."""
PACKAGES = (
    "libtheschwartz-perl=1.12-2",
    "libdata-objectdriver-perl",
    "libclass-accessor-perl",
    "libclass-data-inheritable-perl",
    "libclass-trigger-perl",
    "libdbi-perl",
    "libdbd-sqlite3-perl",
    "libdbd-pg-perl",
    "libio-stringy-perl",
    "libsub-name-perl",
)
SCHEMA = Path("usr/share/doc/libtheschwartz-perl/schema-postgres.sql")


@dataclass
class JobQueue:
    """A job queue on one database.

    :ivar bodies: jobs of each measure; what is not named is not measured. :ivar how: for the table.
    """

    name: str
    how: str
    jobs: dict[str, int] = field(default_factory=dict)

    def absent(self) -> str | None:
        """Reason why it can't be measured here."""
        return None

    def make(self, server: PostgreSQLServer, directory: Path) -> str:
        """DSN of an empty database."""
        return server.database()

    def command(self, measure: str, dsn: str, count: int, rate: float) -> list[str]:
        """Command that measures."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Environment of that command."""
        return dict(os.environ)

    def run(self, measure: str, dsn: str, count: int, rate: float = 0.0) -> dict[str, Any]:
        """Measure. :raises RuntimeError: it failed."""
        return self.ended(self.begin(measure, dsn, count, rate))

    def begin(self, measure: str, dsn: str, count: int, rate: float = 0.0) -> subprocess.Popen[str]:
        """Start a measurement."""
        return subprocess.Popen(
            self.command(measure, dsn, count, rate),
            cwd=ROOT,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ended(self, process: subprocess.Popen[str]) -> dict[str, Any]:
        """Result of a measurement. :raises RuntimeError: it failed."""
        try:
            said, errors = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise RuntimeError(f"{self.name}: no end after {LONGEST:g} s") from None
        if process.returncode:
            raise RuntimeError(f"{self.name}: {errors.strip()[-500:]}")
        found: dict[str, Any] = json.loads(said.strip().splitlines()[-1])
        return found


class Hubbub(JobQueue):
    """``hub.jobs`` on PostgreSQL."""

    def command(self, measure: str, dsn: str, count: int, rate: float) -> list[str]:
        """See the class."""
        return [sys.executable, "-m", "benchmarks.jobs.hubbub_program", measure, dsn, str(count), str(rate)]


class HubbubSQLite(Hubbub):
    """``hub.jobs`` on SQLite."""

    def make(self, server: PostgreSQLServer, directory: Path) -> str:
        """DSN of a file that is not there."""
        return f"sqlite:///{directory}/jobs.db"


class Procrastinate(JobQueue):
    """procrastinate, with psycopg 3's binary build."""

    def absent(self) -> str | None:
        """Reason why it can't be measured here."""
        try:
            PROCRASTINATE.python()
        except (OSError, subprocess.CalledProcessError) as error:
            return str(error)
        return None

    def command(self, measure: str, dsn: str, count: int, rate: float) -> list[str]:
        """See the class."""
        program = str(HERE / "procrastinate_program.py")
        return [str(PROCRASTINATE.python()), program, measure, dsn, str(count), str(rate)]


class TheSchwartz(JobQueue):
    """TheSchwartz on PostgreSQL."""

    def absent(self) -> str | None:
        """Reason why it can't be measured here."""
        if shutil.which("perl") is None:
            return "there is no perl"
        if (THESCHWARTZ / "ready").exists():
            return None
        shutil.rmtree(THESCHWARTZ, ignore_errors=True)
        THESCHWARTZ.mkdir()
        done = subprocess.run(["apt-get", "download", *PACKAGES], cwd=THESCHWARTZ, capture_output=True, text=True)
        if done.returncode:
            return f"apt-get can't download it: {done.stderr.strip()[-300:]}"
        for package in THESCHWARTZ.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(package), str(THESCHWARTZ)], check=True)
        (THESCHWARTZ / "ready").touch()
        return None

    def environment(self) -> dict[str, str]:
        """Environment in which Perl finds what was unpacked."""
        found = [THESCHWARTZ / "usr/share/perl5", *THESCHWARTZ.glob("usr/lib/*/perl5/*")]
        return {**os.environ, "PERL5LIB": ":".join(map(str, found))}

    def command(self, measure: str, dsn: str, count: int, rate: float) -> list[str]:
        """See the class."""
        return ["perl", str(HERE / "theschwartz_program.pl"), measure, self.dbi(dsn), str(count)]

    def dbi(self, dsn: str) -> str:
        """DSN of Perl's DBI."""
        database, host = dsn.partition("?")[0].rpartition("/")[2], dsn.rpartition("host=")[2]
        return f"dbi:Pg:dbname={database};host={host}"

    def make(self, server: PostgreSQLServer, directory: Path) -> str:
        """DSN of a database with its tables."""
        dsn = server.database()
        server.execute(dsn, (THESCHWARTZ / SCHEMA).read_text())
        return dsn


class TheSchwartzSQLite(TheSchwartz):
    """TheSchwartz on SQLite."""

    def make(self, server: PostgreSQLServer, directory: Path) -> str:
        """File with its tables."""
        file = directory / "theschwartz.db"
        with sqlite3.connect(file) as connection:
            connection.executescript((HERE / "theschwartz.sql").read_text())
        connection.close()
        return str(file)

    def dbi(self, dsn: str) -> str:
        """DSN of Perl's DBI."""
        return f"dbi:SQLite:dbname={dsn}"


def queues(scale: float) -> dict[str, JobQueue]:
    """Job queues by their names. :param scale: share of the jobs."""

    def jobs(**counts: int) -> dict[str, int]:
        return {measure.replace("_", "-"): max(10, int(count * scale)) for measure, count in counts.items()}

    batches = "claims and completions of 500"
    made: Sequence[JobQueue] = (
        Hubbub("hubbub", batches, jobs(insert=2000, bulk=100_000, work=100_000, wait=1000)),
        Hubbub("hubbub, one by one", "claims and completions of one", jobs(work_singly=2000)),
        Procrastinate(
            "procrastinate",
            "psycopg 3 with its C code, concurrency 10",
            jobs(insert=2000, bulk=20_000, work=4000, wait=1000),
        ),
        TheSchwartz("TheSchwartz", "DBD::Pg", jobs(insert=2000, bulk=5000, work=3000)),
        HubbubSQLite("hubbub, SQLite", batches, jobs(insert=2000, bulk=50_000, work=50_000, wait=1000)),
        HubbubSQLite("hubbub, SQLite, one by one", "claims and completions of one", jobs(work_singly=2000)),
        TheSchwartzSQLite("TheSchwartz, SQLite", "its defaults", jobs(insert=1000, bulk=2000, work=1000)),
    )
    return {queue.name: queue for queue in made}


def versions(server: PostgreSQLServer) -> str:
    """Sentence about versions."""
    return (
        f"PostgreSQL {server.version()} and SQLite {sqlite3.sqlite_version}, as they come; hubbub {version('hubbub')} "
        f"with psycopg2 {version('psycopg2-binary')}; {PROCRASTINATE.requires[0]}, {PROCRASTINATE.requires[1]}; "
        "TheSchwartz 1.12 as Debian has it."
    )
