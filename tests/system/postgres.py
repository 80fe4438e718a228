"""A private PostgreSQL: in a directory of its own, on a Unix socket, without fsync."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine, text

from tests.support import PATIENCE, require

DRIVERS = ["postgresql", "postgresql+psycopg"]
"""What is claimed of PostgreSQL is claimed with each of them."""


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if found:
        return found[-1]
    pg_ctl = shutil.which("pg_ctl")
    return Path(pg_ctl).parent if pg_ctl else None


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server for as long as the block lasts, in a directory with a short path."""
    directory = Path(tempfile.mkdtemp(prefix="hubbub-pg-"))
    try:
        server = Postgres(directory)
        server.start()
        try:
            yield server
        finally:
            if server.runs():
                server.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _with_driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg2://", 1)


class Postgres:
    """Started by ``start``.

    :param directory: a short path, for the socket's sake. :ivar scheme: of its databases' URLs.
    """

    def __init__(self, directory: Path) -> None:
        self.scheme = "postgresql"
        programs = _programs()
        require(programs is not None, "PostgreSQL's server is not installed")
        assert programs is not None
        self._programs = programs
        self._directory = directory
        self._numbers = count(1)
        self._databases: list[str] = []
        directory.mkdir(mode=0o755, exist_ok=True)
        # It refuses to run as root.
        self._user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            shutil.chown(directory, "nobody")
        self._run("initdb", "-D", str(directory / "data"), "-U", "hubbub", "-A", "trust", "-E", "UTF8", "--no-sync")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        user = "nobody" if os.geteuid() == 0 else None
        done = subprocess.run(
            command, user=user, capture_output=True, text=True, cwd=self._directory, timeout=60 * PATIENCE
        )
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def start(self) -> None:
        options = f"-k {self._directory} -c listen_addresses= -c fsync=off -c max_connections=50"
        log = str(self._directory / "log")
        data = str(self._directory / "data")
        # Its output goes to a file: pg_ctl's child would keep a pipe open for ever.
        command = [str(self._programs / "pg_ctl"), "-D", data, "-l", log, "-o", options, "-w", "start"]
        user = "nobody" if os.geteuid() == 0 else None
        subprocess.run(
            command, user=user, check=True, stdout=subprocess.DEVNULL, cwd=self._directory, timeout=60 * PATIENCE
        )

    def runs(self) -> bool:
        """False after a ``stop`` without a ``start``."""
        return (self._directory / "data" / "postmaster.pid").exists()

    def stop(self) -> None:
        """At once, as after a crash."""
        self._run("pg_ctl", "-D", str(self._directory / "data"), "-m", "immediate", "-w", "stop")

    def restart(self) -> None:
        """As an operator does it: sessions are ended, and told so."""
        self._run("pg_ctl", "-D", str(self._directory / "data"), "-m", "fast", "-w", "stop")
        self.start()

    def url(self, database: str) -> str:
        return f"postgresql://hubbub@/{database}?host={self._directory}"

    def create_database(self, encoding: str = "UTF8") -> str:
        """Its URL."""
        name = f"test{next(self._numbers)}"
        options = f"TEMPLATE template0 LOCALE 'C' ENCODING '{encoding}'"
        self.execute(self.url("postgres"), f"CREATE DATABASE {name} {options if encoding != 'UTF8' else ''}")
        self._databases.append(name)
        return self.url(name).replace("postgresql", self.scheme, 1)

    def drop_databases(self) -> None:
        """Drop all that were created, also where somebody is connected still."""
        while self._databases:
            self.execute(self.url("postgres"), f"DROP DATABASE IF EXISTS {self._databases.pop()} WITH (FORCE)")

    def execute(self, url: str, statement: str) -> None:
        engine = create_engine(_with_driver(url), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def count(self, url: str, table: str) -> int:
        engine = create_engine(_with_driver(url))
        with engine.connect() as connection:
            found = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
        engine.dispose()
        return int(found)

    def kill_sessions(self, url: str) -> None:
        """End every session in that database but ours, in whatever it is doing."""
        self.execute(
            url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
