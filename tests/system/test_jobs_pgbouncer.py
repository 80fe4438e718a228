"""Jobs behind a real PgBouncer in transaction mode."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from hub.jobs import Jobs
from hub.jobs.connections import url_of
from tests.support import free_port, require, wait_until
from tests.system.job_stores import rows
from tests.system.postgres import Postgres

pytestmark = pytest.mark.system


@pytest.fixture
def dsn(postgres: Postgres) -> str:
    return postgres.create_database()


@pytest.fixture
def pgbouncer(postgres: Postgres, dsn: str, tmp_path: Path) -> Iterator[str]:
    """A DSN by way of PgBouncer in transaction mode, with few connections to the server."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
    require(program is not None, "PgBouncer is not installed")
    directory, database = dsn.rsplit("host=", 1)[1], dsn.rsplit("/test", 1)[1].split("?")[0]
    port = free_port()
    (tmp_path / "pgbouncer.ini").write_text(
        f"[databases]\ntest{database} = host={directory} user=hubbub\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = any\nunix_socket_dir =\npool_mode = transaction\ndefault_pool_size = 2\n"
        "logfile =\npidfile =\n"
    )
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    for parent in [tmp_path, *tmp_path.parents[:2]] if user else []:
        parent.chmod(0o755)
    process = subprocess.Popen(
        [str(program), *user, str(tmp_path / "pgbouncer.ini")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    via = f"{postgres.scheme}://hubbub@127.0.0.1:{port}/test{database}"
    try:
        wait_until(lambda: _answers(via), what="PgBouncer")
        yield via
    finally:
        process.kill()
        process.wait()


def _answers(dsn: str) -> bool:
    engine = create_engine(url_of(dsn))
    try:
        with engine.connect():
            return True
    except Exception:
        return False
    finally:
        engine.dispose()


def test_all_of_it_works_behind_pgbouncer(pgbouncer: str) -> None:
    """More programs than connections to the server: each transaction gets another."""
    programs = [Jobs(pgbouncer, lease=60.0) for _ in range(4)]
    done: list[int] = []
    lock = threading.Lock()

    def work(jobs: Jobs) -> None:
        with jobs.keep_alive():
            jobs.insert_many("q", range(60))
            for number in range(15):
                jobs.insert("q", number, key=str(number), unique="waiting")
            while claimed := jobs.claim(4):
                jobs.retry([job for job in claimed if job.attempt == 1], "once more", 0.0)
                last = [job for job in claimed if job.attempt > 1]
                jobs.complete(last)
                with lock:
                    done.extend(job.id for job in last)

    threads = [threading.Thread(target=work, args=(jobs,)) for jobs in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == len(set(done)) >= 4 * 60
    assert programs[0].counts() == {}
    for jobs in programs:
        jobs.close()


def test_behind_pgbouncer_claims_look_and_the_log_says_so_once(
    pgbouncer: str, dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    """LISTEN would be of no use, and its notifications would come to others who use the server's connection."""
    with Jobs(pgbouncer, lease=60.0, longest_poll=0.05) as jobs, Jobs(dsn) as direct:
        assert jobs.claim(1, wait=0.001) == []
        wait_until(lambda: "a pooler is between" in caplog.text)
        for number in range(3):
            direct.insert("q", number)
            assert [job.json() for job in jobs.claim(1, wait="10m")] == [number]
        assert caplog.text.count("a pooler is between") == 1
        assert rows(direct, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN %%'") == [(0,)]


def test_an_insert_behind_pgbouncer_wakes_who_listens_directly(pgbouncer: str, dsn: str) -> None:
    with Jobs(dsn) as sleeper, Jobs(pgbouncer) as other:
        found: list[object] = []
        waits: Any = sleeper._waits
        waits.sleep = lambda event, _: event.wait()
        thread = threading.Thread(target=lambda: found.extend(sleeper.claim(1, wait="1h")))
        thread.start()
        wait_until(lambda: waits._waiters)
        other.insert("q", 1)
        wait_until(lambda: not thread.is_alive(), what="the sleeper to be woken")
        assert len(found) == 1
