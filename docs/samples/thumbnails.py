"""A thumbnail service: python thumbnails.py add FILE..., or python thumbnails.py work [--once]."""

import os
import signal
import sys
import threading
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from hub.errors import Unavailable
from hub.jobs import Fenced, Job, Jobs

QUEUE = "thumbnails"
SIZE = 128, 128
BATCH = 10
NEVER_WORKS = (UnidentifiedImageError, Image.DecompressionBombError, KeyError, TypeError, ValueError)

jobs = Jobs(os.environ.get("HUBBUB_JOBS", "sqlite:///jobs.db"), queues=[QUEUE])
stopping = threading.Event()


def add(files: list[str]) -> None:
    """Insert a job for each picture, all in one transaction; none where one waits already."""
    paths = [str(Path(file).absolute()) for file in files]
    jobs.insert_many(QUEUE, [{"path": path} for path in paths], keys=paths, unique="waiting", max_retries=5)


def thumbnail_of(path: Path) -> Path:
    return path.with_name(f"{path.stem}.thumb.jpg")


def make(path: Path) -> None:
    """Make a thumbnail beside the picture. A job may be begun twice: then the second replaces the first, whole."""
    part = thumbnail_of(path).with_suffix(f".{os.getpid()}")
    with Image.open(path) as picture:
        picture.thumbnail(SIZE)
        picture.convert("RGB").save(part, "JPEG")
    part.replace(thumbnail_of(path))


def handle(job: Job) -> None:
    """Work one job, and say what became of it."""
    try:
        make(Path(job.json()["path"]))
    except NEVER_WORKS as error:
        jobs.bury(job, error)
    except OSError as error:  # not there yet, the disk is full
        jobs.retry(job, error, delay=60 * job.attempt)
    else:
        jobs.complete(job)


def work(once: bool = False) -> None:
    """Work jobs until the program is told to stop. :param once: or until none waits."""
    with jobs.keep_alive():
        while not stopping.is_set():
            try:
                jobs.give_back(jobs.in_hand)  # what an error below has left undone, if any
                if once:
                    jobs.maintain()  # what is due by now waits; otherwise keep_alive() sees to it
                claimed = jobs.claim(BATCH, [QUEUE], wait=0 if once else 1)
                for job in claimed:
                    if not stopping.is_set():
                        handle(job)
            except Fenced as error:
                print(error, file=sys.stderr)  # we were silent for too long: others have these jobs
            except Unavailable as error:
                print(error, file=sys.stderr)
                stopping.wait(5)
            else:
                if once and not claimed:
                    break
    jobs.close()  # what was claimed and not begun goes back at once


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    match sys.argv[1:]:
        case ["add", *files] if files:
            add(files)
        case ["work"]:
            work()
        case ["work", "--once"]:
            work(once=True)
        case _:
            sys.exit(__doc__)
