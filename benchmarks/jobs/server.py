"""A PostgreSQL of its own, as it comes: it writes to the disk before it says that a transaction is committed."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine

ROOT_MAY_NOT = "nobody"
"""Who runs the server where root runs the benchmark: it refuses to run as root."""


def programs() -> Path | None:
    """Directory of the newest server's programs; ``None``: there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return found[-1] if found else None


class PostgreSQLServer:
    """Private server on a Unix socket.

    :param directory: a short path, for the socket's sake. :param options: of the server, such as ``-c fsync=off``.
    """

    def __init__(self, directory: Path, options: str = "") -> None:
        found = programs()
        if found is None:
            raise RuntimeError("PostgreSQL's server is not installed")
        self._programs = found
        self._directory = directory
        self._options = options
        self._numbers = count(1)
        root = os.geteuid() == 0
        self._user = ROOT_MAY_NOT if root else pwd.getpwuid(os.geteuid()).pw_name
        directory.mkdir(mode=0o755, exist_ok=True)
        directory.chmod(0o755)
        if root:
            shutil.chown(directory, ROOT_MAY_NOT)
        self._run("initdb", "-D", str(directory / "data"), "-U", "hubbub", "-A", "trust", "-E", "UTF8")

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self._programs / program), *arguments]
        with (self._directory / "output").open("w+") as output:  # no pipe: the server would keep it open
            done = subprocess.run(
                command,
                user=self._user if os.geteuid() == 0 else None,
                cwd=self._directory,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=120,
            )
            output.seek(0)
            text = output.read()
        if done.returncode:
            raise RuntimeError(f"{program}: {text[-500:]}")
        return text

    def start(self) -> None:
        """Start it."""
        options = f"-k {self._directory} -c listen_addresses= {self._options}"
        self._control("-l", str(self._directory / "log"), "-o", options, "start")

    def stop(self) -> None:
        """Stop it; sessions are ended."""
        self._control("-m", "fast", "stop")

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self._directory / "data"), "-w", *arguments)

    def version(self) -> str:
        """Version of the server."""
        return self._run("postgres", "--version").split()[2]

    def url(self, database: str) -> str:
        """DSN of a database."""
        return f"postgresql://hubbub@/{database}?host={self._directory}"

    def database(self) -> str:
        """DSN of a new, empty database."""
        name = f"bench{next(self._numbers)}"
        self.execute(self.url("postgres"), f"CREATE DATABASE {name}")
        return self.url(name)

    def drop(self, dsn: str) -> None:
        """Drop a database."""
        name = dsn.partition("?")[0].rpartition("/")[2]
        self.execute(self.url("postgres"), f"DROP DATABASE {name} WITH (FORCE)")

    def execute(self, dsn: str, statement: str) -> list[tuple[object, ...]]:
        """Run a statement. :returns: its rows."""
        engine = create_engine(dsn.replace("postgresql://", "postgresql+psycopg2://"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            result = connection.exec_driver_sql(statement)
            rows = [tuple(row) for row in result] if result.returns_rows else []
        engine.dispose()
        return rows
