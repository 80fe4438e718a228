"""Rate of the job queue after a fault, as a share of the rate before it: on a PostgreSQL of its own.

``python -m benchmarks.jobs.chaos [--held 900] [--only FAULT ...]``: jobs come at a rate. Where the machine does not
insert at that rate, a ratio tells of the machine: choose a lower ``--rate``.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import OperationalError

from benchmarks.jobs.server import PostgreSQLServer
from benchmarks.machine import machine, parsed_on_a_disk
from benchmarks.table import table
from benchmarks.venv import ROOT

PROCESSES = 2
"""Programs that work jobs."""
SETTLE = 10.0
"""Seconds from the end of a fault until the rate is measured again: leases have passed then."""
HEADING = ["fault", "inserted/s", "done/s", "inserted/s after", "done/s after", "ratio", "wanted", "dead rows", "met"]
DEAD = "SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables WHERE schemaname = 'hubbub_jobs'"
BACKENDS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
"""Ends all other sessions of a database."""


class Scene:
    """A server, a program that inserts, and programs that work."""

    def __init__(self, server: PostgreSQLServer, directory: Path, rate: float) -> None:
        self.server = server
        self.dsn = server.database()
        self._directory = directory
        self._starts = 0
        self._feed = self._spawn("feed", str(rate), str(directory / "fed"))
        self.workers = [self._work() for _ in range(PROCESSES)]

    def _spawn(self, what: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "benchmarks.jobs.chaos_program", what, self.dsn, *arguments]
        return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)

    def _work(self) -> subprocess.Popen[bytes]:
        self._starts += 1
        return self._spawn("work", str(self._directory / f"done{self._starts}"))

    def kill(self, number: int) -> None:
        """Kill a program that works, and start another."""
        self.workers[number].kill()
        self.workers[number].wait()
        self.workers[number] = self._work()

    def done(self) -> int:
        """Jobs that were accepted as done."""
        return sum(int(file.read_bytes() or b"0") for file in self._directory.glob("done*"))

    def inserted(self) -> int:
        """Jobs that were inserted."""
        return int((self._directory / "fed").read_bytes() or b"0")

    def rates(self, seconds: float) -> tuple[float, float]:
        """Jobs inserted and done per second, from now on."""
        inserted, done, began = self.inserted(), self.done(), time.monotonic()
        time.sleep(seconds)
        passed = time.monotonic() - began
        return (self.inserted() - inserted) / passed, (self.done() - done) / passed

    def wait(self) -> None:
        """Wait for the first jobs to be done. :raises RuntimeError: none was."""
        deadline = time.monotonic() + 60
        while not self.done():
            if time.monotonic() > deadline:
                raise RuntimeError("no job was done in a minute")
            time.sleep(0.1)

    def close(self) -> None:
        """End all programs."""
        for process in (self._feed, *self.workers):
            process.kill()
            process.wait()


def restart(scene: Scene, _: float) -> None:
    """PostgreSQL is restarted three times."""
    for _time in range(3):
        scene.server.stop()
        time.sleep(1.0)
        scene.server.start()
        time.sleep(2.0)


def kill_backends(scene: Scene, _: float) -> None:
    """All sessions are ended by ``pg_terminate_backend``, ten times."""
    for _time in range(10):
        scene.server.execute(scene.dsn, BACKENDS)
        time.sleep(0.5)


def exhaust(scene: Scene, _: float) -> None:
    """All connections of the server are taken for ten seconds, after ours were ended."""
    engine = create_engine(scene.dsn.replace("postgresql://", "postgresql+psycopg2://"), pool_size=200)
    taken: list[Connection] = []
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(OperationalError):
            while True:
                taken.append(engine.connect().execution_options(isolation_level="AUTOCOMMIT"))
        mine = ",".join(str(one.exec_driver_sql("SELECT pg_backend_pid()").scalar()) for one in taken)
        taken[0].exec_driver_sql(f"{BACKENDS} AND pid NOT IN ({mine})")
        time.sleep(0.05)
    engine.dispose()
    for one in taken:
        one.invalidate()
        one.close()


def kill_workers(scene: Scene, _: float) -> None:
    """Programs that work are killed with -9 again and again, one a second."""
    for turn in range(15):
        scene.kill(turn % PROCESSES)
        time.sleep(1.0)


FAULTS: dict[str, Callable[[Scene, float], None]] = {
    "restart": restart,
    "backends": kill_backends,
    "connections": exhaust,
    "workers": kill_workers,
}


@contextmanager
def held(dsn: str) -> Iterator[None]:
    """A transaction that stays open, as that of a report or a backup does."""
    engine: Any = create_engine(
        dsn.replace("postgresql://", "postgresql+psycopg2://"), isolation_level="REPEATABLE READ"
    )
    with engine.begin() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM pg_class")
        connection.exec_driver_sql("SELECT pg_current_xact_id()")
        yield
    engine.dispose()


def dead_rows(scene: Scene) -> int:
    """Rows in the jobs' tables that are dead."""
    ((found,),) = scene.server.execute(scene.dsn, DEAD)
    return int(str(found))


def options() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs.chaos", description=__doc__)
    parser.add_argument("--rate", type=float, default=800.0, help="jobs inserted a second (800)")
    parser.add_argument("--window", type=float, default=15.0, help="seconds in which a rate is measured (15)")
    parser.add_argument("--held", type=float, default=60.0, help="seconds for which a snapshot is held (60)")
    parser.add_argument("--only", choices=[*FAULTS, "held"], nargs="+", help="some of the faults")
    return parsed_on_a_disk(parser)


def measured(name: str, given: argparse.Namespace, server: PostgreSQLServer, directory: Path) -> list[str]:
    """Row of the table: the fault, the rates before and after, their ratio, dead rows, whether it is enough."""
    place = Path(tempfile.mkdtemp(dir=directory))
    with ExitStack() as stack:
        scene = Scene(server, place, given.rate)
        stack.callback(scene.close)
        scene.wait()
        time.sleep(SETTLE / 2)
        before = scene.rates(given.window)
        dead, wanted = dead_rows(scene), 0.95
        if name == "held":
            wanted = 0.9
            with held(scene.dsn):
                time.sleep(max(0.0, given.held - given.window))
                after = scene.rates(given.window)
                now = dead_rows(scene)
        else:
            FAULTS[name](scene, given.rate)
            time.sleep(SETTLE)
            after = scene.rates(given.window)
            now = dead_rows(scene)
    server.drop(scene.dsn)
    ratio = after[1] / before[1]
    row = [name, *(f"{value:,.0f}" for value in (*before, *after)), f"{ratio:.2f}", f"{wanted}", f"{dead:,} to {now:,}"]
    return [*row, "yes" if ratio >= wanted else "**no**"]


def main() -> int:
    """Run the program. :returns: 1 if a rate was too low."""
    given = options()
    directory = Path(tempfile.mkdtemp(prefix="jobs-"))
    directory.chmod(0o755)
    before = os.getloadavg()[0]
    server = PostgreSQLServer(directory / "pg")
    server.start()
    rows = []
    try:
        for name in given.only or [*FAULTS, "held"]:
            rows.append(measured(name, given, server, directory))
            print("  ".join(rows[-1]), flush=True)
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
    print(f"\n{machine()} The load average was {before:.1f} before and {os.getloadavg()[0]:.1f} after.\n")
    print(f"Jobs come at {given.rate:g} a second; a snapshot is held for {given.held:g} s.\n")
    print(table(HEADING, rows))
    return 1 if any(row[-1] != "yes" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
