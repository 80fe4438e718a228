"""Consumers of jobs and their databases, as ``hubbub check`` sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.configuration.configurations import configure, problems

JOB = """
from hub import Consumer

class Plain(Consumer):
    topics = ("a",)
    def consume(self, message):
        pass

class Work(Consumer):
    queue = "work"
    def consume(self, message):
        pass

class Ticks(Consumer):
    every = 1
    def tick(self):
        pass
"""
WORK = '[consumers.c]\ntype = "job.py:Work"\n'
PLAIN = '[consumers.c]\ntype = "job.py:Plain"\n'
MAIN = "[jobs.main]\n"


@pytest.fixture(autouse=True)
def classes(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text(JOB)


def test_a_class_or_the_file_names_the_queue(tmp_path: Path) -> None:
    found = configure(tmp_path, MAIN + WORK).of("consumers")["c"].settings
    assert (found.queue, found.jobs, found.topics) == ("work", None, [])
    found = configure(tmp_path, MAIN + WORK + 'queue = "other"\njobs = "main"\n').of("consumers")["c"].settings
    assert (found.queue, found.jobs) == ("other", "main")
    found = configure(tmp_path, MAIN + PLAIN + 'queue = "other"\n').of("consumers")["c"].settings
    assert found.queue == "other"


def test_a_database_needs_no_type(tmp_path: Path) -> None:
    part = configure(tmp_path, MAIN).of("jobs")["main"]
    assert (part.settings.type, part.plugin.cls.__name__) == ("database", "JobDatabase")
    assert part.config.database == "sqlite:///jobs.db"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (WORK, "consumers.c.queue: is a queue of jobs, and there is no database for it: add [jobs.main]"),
        (WORK + 'jobs = "x"\n', "consumers.c.jobs: there is no [jobs.x]; there are: none"),
        (MAIN + WORK + 'jobs = "x"\n', "consumers.c.jobs: there is no [jobs.x]; there are: main"),
        (
            MAIN + "[jobs.b]\n" + WORK,
            "consumers.c.jobs: must name one of the databases of jobs, of which there are several: main, b",
        ),
        (MAIN + PLAIN + 'jobs = "main"\n', "consumers.c.jobs: names a database of jobs, and there is no queue"),
        (MAIN + "enabled = false\n" + WORK + 'jobs = "main"\n', "consumers.c.jobs: [jobs.main] is not enabled"),
        (MAIN + "enabled = false\n" + WORK, "consumers.c.queue: is a queue of jobs, and no database is enabled: main"),
        (MAIN + WORK + 'topics = ["a"]\n', "consumers.c.topics: is about a queue in the hub; the jobs of 'work'"),
        (MAIN + WORK + "max_backlog = 5\n", "consumers.c.max_backlog: is about a queue in the hub"),
        (MAIN + '[consumers.c]\ntype = "job.py:Ticks"\nqueue = "q"\n', "consumers.c.queue: Ticks has no consume()"),
        (MAIN + WORK + 'queue = ""\n', "consumers.c.queue: expected a text of 1 characters or more"),
        (MAIN + 'lease = "10ms"\n', "jobs.main.lease: expected 1s or more"),
        (
            MAIN + '[jobs.main.cron.nightly]\nline = "30 25 * * *"\nqueue = "q"\n',
            ":2: jobs.main.cron.nightly: line: ",
        ),
        (
            MAIN + '[jobs.main.cron.nightly]\nline = "@daily"\nqueue = "q"\nzone = "Europe/Berln"\n',
            "jobs.main.cron.nightly: zone: expected an IANA time zone such as 'Europe/Berlin'",
        ),
        (MAIN + '[jobs.main.cron.nightly]\nline = "@daily"\n', "jobs.main.cron.nightly.queue: must be set"),
        (MAIN + 'databse = "x"\n', "jobs.main.databse: unknown setting; did you mean 'database'?"),
        (MAIN + 'database = "mysql:///x"\n', "jobs.main: database: expected sqlite or postgresql, not mysql"),
        (MAIN + 'type = "databse"\n', "jobs.main.type: no job is called 'databse'; did you mean 'database'?"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, problem: str, tmp_path: Path) -> None:
    (found,) = problems(tmp_path, text)
    assert problem in found


def test_a_database_with_a_mistake_is_not_missed_as_well(tmp_path: Path) -> None:
    (found,) = problems(tmp_path, MAIN + "lease = 0\n" + WORK)
    assert "jobs.main.lease" in found


STOMP = '[backends.s]\ntype = "stomp-server"\nlisten = ["unix:/tmp/s"]\n[backends.s.queues.work]\njobs = {}\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (STOMP.format("true"), "is a queue of jobs, and there is no database for it: add [jobs.main]"),
        (STOMP.format('"x"') + MAIN, "there is no [jobs.x]; there are: main"),
        (
            STOMP.format("true") + MAIN + "[jobs.b]\n",
            "must name one of the databases of jobs, of which there are several: main, b",
        ),
        (STOMP.format("true") + MAIN + "enabled = false\n", "is a queue of jobs, and no database is enabled: main"),
    ],
)
def test_a_backends_queue_of_jobs_needs_its_database(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text) == [f"hub.conf:5: backends.s.queues.work.jobs: {problem}"]


@pytest.mark.parametrize(("value", "database"), [("true", None), ('"b"', "b")])
def test_a_backend_names_its_database_or_uses_the_only_one(tmp_path: Path, value: str, database: str | None) -> None:
    more = "[jobs.b]\n" if database else ""
    config = configure(tmp_path, STOMP.format(value) + MAIN + more).of("backends")["s"].config
    assert config.job_queues() == {"work": database}
    assert configure(tmp_path, STOMP.format("false")).of("backends")["s"].config.job_queues() == {}
