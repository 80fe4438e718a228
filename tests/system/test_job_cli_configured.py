"""``hubbub job``: the database that the configuration names."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from hub.cli.job.database import queue_names
from hub.jobs import Jobs
from tests.support import require_root
from tests.system.job_command import run
from tests.unit.command import Run

__all__ = ["run"]
pytestmark = pytest.mark.system
USER = 54321
TABLE = """
[jobs.main]
database = "{dsn}"
max_body = "64B"
"""
OTHER = """
[jobs.other]
database = "sqlite:///other.db"
"""


WORK = """
from hub import Consumer
class Work(Consumer):
    queue = "worked"
    jobs = "main"
    def consume(self, message): ...
"""
NAMED = """
[consumers.work]
type = "work.py:Work"
[backends.stomp]
type = "stomp-server"
[backends.stomp.queues.read]
jobs = "main"
[backends.stomp.queues.elsewhere]
jobs = "other"
[jobs.main.cron.nightly]
line = "@daily"
queue = "nightly"
"""


@pytest.fixture
def configuration(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Path:
    monkeypatch.delenv("HUBBUB_JOBS")
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "hub.conf"
    file.write_text(f'[hub]\nstate_dir = "state"\n{TABLE.format(dsn=dsn)}')
    (tmp_path / "state").mkdir()
    return file


def test_the_only_one_is_the_default(run: Run, configuration: Path, jobs: Jobs) -> None:
    assert run("job", "insert", "q", "1")[:2] == (0, "1\n")
    assert jobs.counts()["q"].waiting == 1
    assert run("job", "pause", "q")[0] == 0
    assert jobs.counts()["q"].paused
    code, _, err = run("job", "insert", "q", "x" * 100)
    assert code == 64
    assert "more than 64" in err


def test_queues_that_the_configuration_names_are_no_new_ones(
    run: Run, configuration: Path, jobs: Jobs, tmp_path: Path
) -> None:
    (tmp_path / "work.py").write_text(WORK)
    configuration.write_text(configuration.read_text() + OTHER + NAMED)
    jobs.insert("known", 1)
    for queue in ("known", "worked", "read", "nightly"):
        assert run("job", "insert", queue, "1", "--jobs", "main")[0] == 0, queue
    for queue in ("wroked", "elsewhere", "messages"):
        code, _, err = run("job", "insert", queue, "1", "--jobs", "main")
        assert (code, "--create makes a new one" in err) == (69, True), queue
    assert sorted(jobs.counts()) == ["known", "nightly", "read", "worked"]


def test_several_want_a_name(run: Run, configuration: Path, jobs: Jobs, tmp_path: Path) -> None:
    configuration.write_text(configuration.read_text() + OTHER)
    code, _, err = run("job", "queues")
    assert (code, err) == (
        78,
        "hubbub: the configuration has several databases of jobs, main, other: give --jobs NAME\n",
    )
    assert run("job", "insert", "q", "1", "--jobs", "other")[0] == 0
    assert (tmp_path / "state" / "other.db").exists()
    assert jobs.counts() == {}
    assert run("job", "insert", "q", "2", "--jobs", "main")[0] == 0
    assert jobs.counts()["q"].waiting == 1
    code, _, err = run("job", "queues", "--jobs", "mian")
    assert (code, err) == (78, "hubbub: there is no [jobs.mian]; there are: main, other\n")


def test_a_configuration_without_one_is_told(run: Run, configuration: Path) -> None:
    configuration.write_text("")
    code, _, err = run("job", "queues")
    assert (code, err) == (78, "hubbub: the configuration has no [jobs.NAME]: give --database DSN\n")
    code, out, _ = run("job", "queues", "--maxage", "1h")
    assert code == 3
    assert "has no [jobs.NAME]" in out


def test_the_variable_comes_before_the_file_and_options_before_both(
    run: Run, configuration: Path, jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUBBUB_JOBS", f"sqlite:///{tmp_path}/variable.db")
    assert run("job", "insert", "q", "1")[0] == 0
    assert (tmp_path / "variable.db").exists()
    assert jobs.counts() == {}
    assert run("job", "insert", "q", "1", "--config", str(configuration))[0] == 0
    assert jobs.counts()["q"].waiting == 1
    override = f'jobs.main.database="sqlite:///{tmp_path}/override.db"'
    assert run("job", "insert", "q", "1", "--set", override)[0] == 0
    assert (tmp_path / "override.db").exists()
    assert run("job", "insert", "q", "1", "--database", f"sqlite:///{tmp_path}/option.db")[0] == 0
    assert (tmp_path / "option.db").exists()


def test_names_of_queues_are_completed(configuration: Path, jobs: Jobs) -> None:
    jobs.insert("thumbnails", 1)
    context = click.Context(click.Command("x"))
    context.params = {"path": configuration, "part": "main"}
    assert queue_names(context, click.Argument(["queue"]), "th") == ["thumbnails"]


def test_root_follows_no_link_in_the_hubs_directory(run: Run, configuration: Path, tmp_path: Path) -> None:
    require_root("gives files away")
    precious = tmp_path / "precious.db"
    configuration.write_text('[hub]\nstate_dir = "state"\n[jobs.main]\ndatabase = "sqlite:///mine.db"\n')
    (tmp_path / "state" / "mine.db").symlink_to(precious)
    code, _, err = run("job", "insert", "q", "1")
    assert code == 69
    assert "is a symbolic link" in err
    assert not precious.exists()
