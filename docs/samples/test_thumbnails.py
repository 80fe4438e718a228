from pathlib import Path

import pytest
import thumbnails
from PIL import Image

from hub.errors import Unavailable
from hub.jobs import Job
from hub.testing.memory_jobs import MemoryJobs


@pytest.fixture(autouse=True)
def jobs(hubbub_jobs: MemoryJobs, monkeypatch: pytest.MonkeyPatch) -> MemoryJobs:
    monkeypatch.setattr(thumbnails, "jobs", hubbub_jobs)
    return hubbub_jobs


def draw(path: Path) -> str:
    Image.new("RGBA", (400, 200), "orange").save(path)
    return str(path)


def test_a_thumbnail_is_made_beside_the_picture(jobs: MemoryJobs, tmp_path: Path) -> None:
    thumbnails.add([draw(tmp_path / "sunset.png")])
    thumbnails.work(once=True)
    with Image.open(tmp_path / "sunset.thumb.jpg") as made:
        assert (made.size, made.format) == ((128, 64), "JPEG")
    assert jobs.counts() == {}
    assert len(list(tmp_path.iterdir())) == 2


def test_a_picture_that_waits_is_not_added_twice(jobs: MemoryJobs, tmp_path: Path) -> None:
    thumbnails.add([draw(tmp_path / "a.png")] * 3)
    assert jobs.counts()["thumbnails"].waiting == 1


def test_a_picture_that_comes_late_is_tried_again(jobs: MemoryJobs, tmp_path: Path) -> None:
    thumbnails.add([str(tmp_path / "late.png")])
    thumbnails.work(once=True)
    draw(tmp_path / "late.png")
    jobs.advance(60)
    thumbnails.work(once=True)
    assert (tmp_path / "late.thumb.jpg").exists()


@pytest.mark.parametrize("content", ["no picture", ""])
def test_what_is_no_picture_is_a_dead_letter(jobs: MemoryJobs, tmp_path: Path, content: str) -> None:
    (tmp_path / "a.png").write_text(content)
    thumbnails.add([str(tmp_path / "a.png")])
    thumbnails.work(once=True)
    (dead,) = jobs.peek("thumbnails", "dead")
    assert "cannot identify image file" in dead.reason


@pytest.mark.parametrize("body", [{}, ["a.png"], "a.png", b"\xff", {"path": 1}, {"path": "a\0.png"}])
def test_a_job_that_is_none_is_a_dead_letter(jobs: MemoryJobs, body: object) -> None:
    jobs.insert("thumbnails", body)
    thumbnails.work(once=True)
    assert jobs.counts()["thumbnails"].dead == 1


def test_a_database_that_is_away_for_a_moment_leaves_no_job(
    jobs: MemoryJobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete, away = jobs.complete, iter([Unavailable("it restarts")])

    def sometimes(job: Job) -> None:
        for error in away:
            raise error
        complete(job)

    monkeypatch.setattr(jobs, "complete", sometimes)
    monkeypatch.setattr(thumbnails.stopping, "wait", lambda seconds: False)
    thumbnails.add([draw(tmp_path / f"{name}.png") for name in "abc"])
    thumbnails.work(once=True)
    assert len(list(tmp_path.glob("*.thumb.jpg"))) == 3
    assert jobs.counts() == {}
