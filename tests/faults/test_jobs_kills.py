"""kill -9 of programs that work jobs, at random instants: no job is lost, and none is accepted as done twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from hub.jobs import Jobs, JobState
from tests.faults.size import SEED, sized
from tests.support import PATIENCE, ROOT, wait_until

pytestmark = [pytest.mark.faults, pytest.mark.timeout(sized(180, 1800))]

KILLS = sized(10, 100)
WORKERS = 3
BATCH = 20
"""Jobs of one claim: what a kill may have done again."""
LEASE = 1.0
STOPPED_EVERY = 5
"""Of so many faults one is a process that stands still for longer than its lease, and then goes on."""
MOST_WAITING = 300
"""Jobs that wait at most while more are inserted: what is left at the end has to be worked, too."""


class Workers:
    """Programs that work jobs; one that is killed has a successor."""

    def __init__(self, dsn: str, notes: Path) -> None:
        self._command = [sys.executable, "-m", "tests.faults.job_worker", dsn, str(notes), str(BATCH), str(LEASE)]
        self._ready: set[subprocess.Popen[str]] = set()
        self._running = [self._start() for _ in range(WORKERS)]

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE, text=True)

    def wait_ready(self, number: int) -> None:
        process = self._running[number]
        if process not in self._ready:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            self._ready.add(process)

    def kill(self, number: int) -> None:
        self._running[number].kill()
        self._running[number].communicate()
        self._running[number] = self._start()

    def stand_still(self, number: int, seconds: float) -> None:
        self._running[number].send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._running[number].send_signal(signal.SIGCONT)

    def stop(self) -> None:
        for number, process in enumerate(self._running):
            self.wait_ready(number)  # what a signal does before that is not the worker's
            process.terminate()
        assert [process.wait(60 * PATIENCE) for process in self._running] == [0] * WORKERS

    def end(self) -> None:
        for process in self._running:
            process.kill()
            process.communicate()


class Inserter(threading.Thread):
    """Inserts jobs until it is stopped. :ivar ids: of those whose insert has returned."""

    def __init__(self, jobs: Jobs) -> None:
        super().__init__()
        self.ids: list[int] = []
        self.stopped = threading.Event()
        self._jobs = jobs

    def run(self) -> None:
        while not self.stopped.wait(0.02):
            counts = self._jobs.counts().get("q")
            if counts is None or counts.waiting < MOST_WAITING:
                self.ids += [handle.id for handle in self._jobs.insert_many("q", range(50), max_retries=10_000)]


def test_no_job_is_lost_and_none_is_accepted_twice(dsn: str, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    print(f"{KILLS} kills, seed {SEED}")
    notes = tmp_path / "notes"
    with Jobs(dsn, lease=LEASE) as jobs:
        inserter = Inserter(jobs)
        inserter.start()
        workers = Workers(dsn, notes)
        try:
            stops = 0
            for fault in range(KILLS):
                number = chance.randrange(WORKERS)
                workers.wait_ready(number)
                time.sleep(chance.uniform(0.0, 0.5))
                workers.kill(number)
                if fault % STOPPED_EVERY == 0:
                    workers.wait_ready((number + 1) % WORKERS)
                    workers.stand_still((number + 1) % WORKERS, 2.5 * LEASE)
                    stops += 1
            inserter.stopped.set()
            inserter.join()
            wait_until(lambda: jobs.counts() == {}, timeout=120, what="all jobs to be done")
            workers.stop()
        finally:
            inserter.stopped.set()
            workers.end()
        states = Counter(status.state if (status := jobs.find(number)) else None for number in inserter.ids)
    assert states == {JobState.FINISHED: len(inserter.ids)}
    check(notes, inserter.ids, KILLS + stops)


def check(notes: Path, inserted: list[int], faults: int) -> None:
    """Check what the programs have noted. :param faults: how often a process lost what it had in hand."""
    noted: dict[str, Counter[int]] = {what: Counter() for what in ("begun", "failing", "accepted", "refused")}
    for line in notes.read_text().splitlines():
        what, number, _ = line.split()
        noted[what][int(number)] += 1
    begun, failing, accepted = noted["begun"], noted["failing"], noted["accepted"]
    repeats = sum(max(0, times - 1 - failing[number]) for number, times in begun.items())
    unnoted = len(inserted) - len(accepted)
    print(
        f"{len(inserted)} jobs, {faults} faults; {repeats} repeats, may be {faults * BATCH}; "
        f"{sum(noted['refused'].values())} completions refused; {unnoted} accepted and not noted"
    )
    assert len(inserted) > KILLS
    assert begun.keys() == set(inserted)
    assert max(accepted.values()) == 1, [number for number, times in accepted.items() if times > 1][:20]
    assert accepted.keys() <= set(inserted)
    assert unnoted <= KILLS * BATCH  # killed between the commit and the note
    # One that was given no processor for longer than its lease loses what it had, too; its completions are refused.
    assert repeats <= faults * BATCH + noted["refused"].total()
