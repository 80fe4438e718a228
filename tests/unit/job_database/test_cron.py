"""Jobs of cron entries: each slot once, whoever asks, and whatever was missed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from hub.errors import Unavailable
from hub.job_database.cron import Cron
from hub.job_database.settings import CronEntry, DatabaseSettings
from hub.jobs import Jobs
from hub.partlog import part_log

NOON = datetime(2027, 3, 10, 12, tzinfo=UTC).timestamp()
HOUR, DAY = 3600.0, 86400.0


class Time:
    now = NOON


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    with Jobs(f"sqlite:///{tmp_path}/jobs.db") as found:
        yield found


def cron(jobs: Jobs, directory: Path, time: Time, name: str = "hourly", **settings: Any) -> Cron:
    entry = CronEntry(**{"line": "@hourly", "queue": "q", "body": {"n": 1}, **settings})
    log = part_log("jobs", "main")
    return Cron({name: entry}, jobs, directory / "cron.json", lambda: time.now, DAY, log)


def keys(jobs: Jobs) -> list[str | None]:
    return [job.key for job in jobs.peek("q")]


def test_a_new_entry_waits_for_its_next_slot(jobs: Jobs, tmp_path: Path) -> None:
    time = Time()
    time.now += 1
    entry = cron(jobs, tmp_path, time, priority=7, max_retries=2, tags=["a"])
    entry.round()
    assert keys(jobs) == []
    assert entry.status() == {"hourly": {"next": NOON + HOUR, "inserted": 0, "skipped": 0}}
    time.now = NOON + HOUR - 0.5
    entry.round()
    assert keys(jobs) == []
    time.now = NOON + HOUR
    for _ in range(3):
        entry.round()
    (job,) = jobs.peek("q")
    assert (job.key, job.json(), job.priority, job.max_retries) == ("hourly@2027-03-10T13:00:00Z", {"n": 1}, 7, 2)
    assert job.tags == ("cron", "a")
    assert entry.status()["hourly"] == {"next": NOON + 2 * HOUR, "inserted": 1, "skipped": 0}


def test_of_several_hubs_one_inserts_also_when_the_job_is_dead_by_then(jobs: Jobs, tmp_path: Path) -> None:
    time = Time()
    hubs = []
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        hubs.append(cron(jobs, tmp_path / name, time, max_retries=0))
        hubs[-1].round()
    time.now += HOUR
    hubs[0].round()
    (job,) = jobs.claim(5)
    jobs.retry(job, "it fails")
    hubs[1].round()
    hubs[2].round()
    assert (keys(jobs), jobs.counts()["q"].dead) == ([], 1)
    assert [hub.status()["hourly"]["inserted"] for hub in hubs] == [1, 0, 0]


@pytest.mark.parametrize(
    ("catch_up", "wanted", "skipped"),
    [("last", ["15"], 2), ("all", ["13", "14", "15"], 0), ("none", [], 3)],
)
def test_what_was_missed_is_made_up_for_as_ordered(
    catch_up: str, wanted: list[str], skipped: int, jobs: Jobs, tmp_path: Path
) -> None:
    time = Time()
    cron(jobs, tmp_path, time).round()
    time.now += 3.5 * HOUR
    again = cron(jobs, tmp_path, time, catch_up=catch_up)
    again.round()
    assert [str(key)[18:20] for key in keys(jobs)] == wanted
    assert again.status()["hourly"]["skipped"] == skipped


def test_nothing_is_made_up_for_that_the_database_may_have_forgotten(jobs: Jobs, tmp_path: Path) -> None:
    time = Time()
    daily = {"line": "0 12 * * *", "catch_up": "all"}
    cron(jobs, tmp_path, time, **daily).round()
    time.now += 3 * DAY + 23 * HOUR
    cron(jobs, tmp_path, time, **daily).round()
    assert keys(jobs) == []
    time.now += 2 * HOUR
    cron(jobs, tmp_path, time, **daily).round()
    assert keys(jobs) == ["hourly@2027-03-14T12:00:00Z"]


def test_an_entry_whose_line_has_changed_is_new(jobs: Jobs, tmp_path: Path) -> None:
    time = Time()
    cron(jobs, tmp_path, time).round()
    time.now += 1.5 * HOUR
    changed = cron(jobs, tmp_path, time, line="*/10 * * * *")
    changed.round()
    assert keys(jobs) == []
    time.now += 600
    changed.round()
    assert keys(jobs) == ["hourly@2027-03-10T13:40:00Z"]


def test_a_clock_that_steps_back_runs_nothing_twice(jobs: Jobs, tmp_path: Path) -> None:
    time = Time()
    entry = cron(jobs, tmp_path, time)
    entry.round()
    time.now += HOUR
    entry.round()
    time.now -= 2 * HOUR
    entry.round()
    time.now += HOUR
    entry.round()
    assert len(keys(jobs)) == 1
    time.now += 2 * HOUR
    entry.round()
    assert len(keys(jobs)) == 2


def test_a_slot_waits_while_the_database_is_away(jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    time = Time()
    entry = cron(jobs, tmp_path, time)
    entry.round()
    time.now += HOUR
    with monkeypatch.context() as patch:

        def away(*_: Any, **__: Any) -> None:
            raise Unavailable("it restarts")

        patch.setattr(jobs, "insert", away)
        with pytest.raises(Unavailable):
            entry.round()
    entry.round()
    assert len(keys(jobs)) == 1


@pytest.mark.parametrize(
    "text", ["{", '{"hourly": {"line": "@hourly", "zone": "UTC", "slot": "2027-03-10T09:00:00"}}', "\udcff"]
)
def test_a_damaged_file_is_told_of_and_begun_anew(
    jobs: Jobs, tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    (tmp_path / "cron.json").write_text(text, errors="surrogateescape")
    cron(jobs, tmp_path, Time()).round()
    assert "what was missed is not caught up" in caplog.text
    assert "12:00:00" in (tmp_path / "cron.json").read_text()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"line": "61 * * * *"}, "line: "),
        ({"zone": "Europe/Berln"}, "zone: expected an IANA time zone such as 'Europe/Berlin'"),
        ({"tags": [""]}, "a tag is a text that is not empty"),
        ({"body": {"at": datetime(2027, 1, 1, tzinfo=UTC)}}, "can't be encoded as JSON"),
        ({"priority": 10}, "less than or equal to 9"),
        ({"queue": "a\nb"}, "can't be printed"),
    ],
)
def test_a_mistake_is_named(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        CronEntry(**{"line": "@daily", "queue": "q", **settings})


def test_an_entry_has_a_plain_name_and_a_body_that_may_be_inserted() -> None:
    entry = CronEntry(line="@daily", queue="q", body="x" * 100)
    with pytest.raises(ValidationError, match=r"cron.big: the body has 102 bytes, more than 50"):
        DatabaseSettings(max_body=50, cron={"big": entry})
    with pytest.raises(ValidationError, match="the name of an entry is of"):
        DatabaseSettings(cron={"a b": entry})
