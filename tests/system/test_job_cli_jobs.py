"""``hubbub job``: looks at jobs, and orders; on PostgreSQL, by both drivers, and on SQLite."""

from __future__ import annotations

import json
import re
import signal
import subprocess

import pytest

from hub.jobs import Jobs
from tests.support import ROOT
from tests.system.hubs import HUBBUB
from tests.system.job_command import bury, rows, run, types
from tests.unit.command import Run

__all__ = ["run"]
pytestmark = pytest.mark.system


def test_jobs_are_shown(run: Run, jobs: Jobs) -> None:
    (dead,) = bury(jobs, "ValueError: no\x1b")
    jobs.insert_many("q", [{"a": 1}, "b"], tags=["t"])
    raw = jobs.insert("q", b"\xff\x00raw", run_after=3600, key="k")
    code, out, _ = run("job", "peek", "q", "-n", "1")
    assert code == 0
    assert re.fullmatch(r" +\d+  \S+  priority 4  tags t  \{\"a\":1\}\n", out)
    assert run("job", "peek", "q", "--tag", "other") == (0, "", "no waiting jobs\n")
    (row,) = rows(run("job", "peek", "q", "--state", "delayed", "--json")[1])
    assert (row["id"], row["key"], row["state"], row["body"]) == (raw.id, "k", "delayed", "\ufffd\0raw")
    assert "ValueError: no\\x1b" in run("job", "peek", "q", "--state", "dead")[1]
    shown = dict(line.split(": ", 1) for line in run("job", "show", str(dead))[1].splitlines()[:-1])
    assert {title: text.strip() for title, text in shown.items() if title not in ("inserted", "ended", "error")} == {
        "job": str(dead),
        "queue": "q",
        "state": "dead",
        "attempts": "1 of 4",
        "priority": "4",
        "body": '"ValueError: no\\u001b"',
    }
    row = json.loads(run("job", "show", str(dead), "--json")[1])
    assert (row["state"], row["body"], row["attempts"]) == ("dead", "ValueError: no\x1b", 1)
    assert [(error["attempt"], error["error"]) for error in row["errors"]] == [(1, "ValueError: no\x1b")]


def test_a_finished_job_is_shown_with_its_exit_status(run: Run, jobs: Jobs) -> None:
    handle = jobs.insert("q", 1)
    jobs.complete(jobs.claim(), status=3)
    assert "exit status:    3\n" in run("job", "show", str(handle.id))[1]
    code, out, err = run("job", "show", "12345")
    assert (code, out) == (64, "")
    assert "there is no job 12345" in err
    code, out, err = run("job", "show", str(10**30))
    assert (code, out) == (64, "")
    assert f"there is no job {10**30}" in err


def test_a_name_that_is_not_in_utf8_is_told(run: Run, jobs: Jobs) -> None:
    jobs.insert("q", 1)
    for command in ("peek", "errors"):
        code, out, err = run("job", command, "\udcff")
        assert (code, out) == (64, "")
        assert "a queue's name has a character that can't be printed" in err
    assert run("job", "pause", "q", "--reason", "\udcff")[0] == 0
    assert jobs.counts()["q"].reason == "\\udcff"


def test_a_jobs_progress_and_result_are_shown(run: Run, jobs: Jobs) -> None:
    code, out, _ = run("job", "insert", "q", "1", "--lock", "disk", "--coalesce", "a/b")
    assert (code, out) == (0, "1\n")
    (job,) = jobs.claim()
    assert (job.lock, job.coalesce) == ("disk", "a/b")
    jobs.progress(job, 0.25, "scaled")
    shown = run("job", "show", "1")[1]
    assert "progress:       25% scaled\n" in shown
    assert "lock:           disk\n" in shown
    jobs.complete(job, result={"size": 3})
    assert 'result:         {"size":3}\n' in run("job", "show", "1")[1]
    assert json.loads(run("job", "show", "1", "--json")[1])["result"] == {"size": 3}


def test_errors_are_shown_the_newest_last(run: Run, jobs: Jobs) -> None:
    for number in range(3):
        bury(jobs, f"Traceback\nError: {number}")
    bury(jobs, "other", queue="other")
    code, out, _ = run("job", "errors", "q", "--last", "2")
    assert code == 0
    assert [line.partition("  q  ")[2].split(": ", 1)[1] for line in out.splitlines()] == ["Error: 1", "Error: 2"]
    assert run("job", "errors", "--last", "1", "--traceback", "q")[1].splitlines()[1:] == [
        "    Traceback",
        "    Error: 2",
    ]
    assert [row["queue"] for row in rows(run("job", "errors", "--json")[1])] == ["q", "q", "q", "other"]


def test_errors_are_followed(dsn: str, jobs: Jobs) -> None:
    bury(jobs, "hidden", "before")
    command = [str(HUBBUB), "job", "errors", "--follow", "--last", "1", "--json", "--database", dsn]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert json.loads(process.stdout.readline())["error"] == "before"
        bury(jobs, "after")
        assert json.loads(process.stdout.readline())["error"] == "after"
    finally:
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=30)[0]
    assert (process.returncode, rest) == (130, "")


def test_dead_letters_are_retried_all_or_some(run: Run, jobs: Jobs) -> None:
    numbers = bury(jobs, "Timeout: a", "no", "Timeout: b", "no", "no")
    assert run("job", "retry", "q", "--error", "Timeout")[:2] == (0, "2 are tried again\n")
    assert run("job", "retry", "q", "--number", str(numbers[3]), "--number", "999")[1] == "1 is tried again\n"
    assert run("job", "retry", "q", "-n", "1", "--json")[1] == '{"queue":"q","retried":1}\n'
    assert [job.id for job in jobs.peek("q", "dead")] == [numbers[4]]
    assert run("job", "retry", "q")[1] == "1 is tried again\n"
    assert run("job", "retry", "q")[1] == "0 are tried again\n"
    assert len(jobs.claim(10)) == 5


def test_jobs_are_cancelled_by_their_numbers(run: Run, jobs: Jobs) -> None:
    (dead,) = bury(jobs, "no")
    runs = jobs.insert("q", 1)
    jobs.claim()
    waits = jobs.insert("q", 2)
    code, out, err = run("job", "cancel", *map(str, (dead, runs.id, waits.id, 777)))
    assert code == 64
    assert out.splitlines() == [
        f"{dead} was a dead letter, and is deleted",
        f"{runs.id} runs: its process is told, and it is not tried again",
        f"{waits.id} was waiting, and is cancelled",
    ]
    assert "there is no job 777, or it has ended" in err
    assert [job.id for job in jobs.heartbeat()] == [runs.id]


def test_delayed_jobs_are_kicked(run: Run, jobs: Jobs) -> None:
    jobs.insert_many("q", range(5), run_after=3600)
    assert run("job", "kick", "q", "-n", "2")[:2] == (0, "2 are due now\n")
    assert run("job", "kick", "q", "--json")[1] == '{"queue":"q","kicked":3}\n'
    jobs.maintain()
    assert len(jobs.claim(10)) == 5


def test_a_purge_asks_first(run: Run, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.insert_many("q", range(1100))
    jobs.insert_many("q", range(2), run_after=3600)
    bury(jobs, *["no"] * 3, queue="other")
    types(monkeypatch, b"n\n")
    code, out, err = run("job", "purge", "q")
    assert (code, out) == (130, "")
    assert "Drop all waiting jobs of q, 1100 jobs?" in err
    assert jobs.counts()["q"].waiting == 1100
    types(monkeypatch, b"y\n")
    assert run("job", "purge", "q")[:2] == (0, "1100 dropped\n")
    assert jobs.counts()["q"].delayed == 2
    states = ("--state", "dead", "--state", "delayed", "--yes")
    assert run("job", "purge", "q", *states, "--json")[1] == '{"queue":"q","purged":2}\n'
    assert run("job", "purge", "other", *states)[1] == "3 dropped\n"
    assert jobs.counts() == {}


def test_a_queue_is_paused_and_resumed(run: Run, jobs: Jobs) -> None:
    jobs.insert("q", 1)
    assert run("job", "pause", "q", "--reason", "mended")[:2] == (0, "q is paused, 1 job waits\n")
    assert jobs.claim() == []
    assert jobs.counts()["q"].reason == "mended"
    assert run("job", "resume", "q", "--json")[1] == '{"queue":"q","paused":false,"waiting":1}\n'
    assert len(jobs.claim()) == 1
