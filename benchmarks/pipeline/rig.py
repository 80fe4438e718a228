"""Processes of the pipeline: started, fed, and asked for what they have done."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.pipeline.configuration import hub, program
from benchmarks.pipeline.consumers import WAYS
from benchmarks.processes import cpu_seconds, free_port
from hub.configuration.locate import locate
from hub.control.client import Client

HUBBUB = Path(sys.executable).with_name("hubbub")
PATIENCE = 600.0
FEED = 2000
"""Messages a second that the matcher is given: more than the workers do."""


class Outcome(NamedTuple):
    """Outcome of one run.

    :ivar messages: finished by each worker. :ivar seconds: from the first until the last was sent, or worked.
    :ivar cpu: processor time of all hubs meanwhile, in seconds.
    """

    messages: list[int]
    seconds: float
    cpu: float


class Rig(ExitStack):
    """The hubs of one run, each in a directory of its own."""

    def __init__(self, directory: Path, broker: str, port: int) -> None:
        super().__init__()
        self.directory, self.broker, self.port = directory, broker, port
        self.pids: list[int] = []

    def start(self, name: str, text: str) -> Path:
        """Start a hub, and wait until it is ready. :returns: its configuration."""
        place = self.directory / name
        place.mkdir()
        file = place / "hub.conf"
        file.write_text(text)
        with (place / "log").open("wb") as log:
            process = subprocess.Popen([str(HUBBUB), "run", "-c", str(file)], stdout=log, stderr=log)
        self.pids.append(process.pid)
        self.callback(process.wait, 60)
        self.callback(process.terminate)
        wait(lambda: "is ready" in (place / "log").read_text(), f"{name} to be ready")
        return file

    def run(self, seconds: Sequence[float], count: int, *, shared: bool) -> Outcome:
        """Run all of it. :param seconds: that a message takes each worker. :param shared: the workers pull from one
        queue; else the matcher chooses one by chance."""
        senders = [self.start(way, self._text(program("Sender") + f'topics = ["{way}"]', way)) for way in WAYS]
        workers = []
        for number, one in enumerate(seconds):
            queue = "work" if shared else f"work{number}"
            lines = program("Worker") + f'seconds = {one}\ntopics = ["{queue}"]'
            text = self._text(lines, queue, publishes=True, confirm="settled").replace('"one"', f'"worker{number}"')
            workers.append(self.start(f"worker{number}", text))
        bus = f'\n[backends.bus]\ntype = "zeromq"\nbind = ["tcp://127.0.0.1:{free_port()}"]\n'
        lines = program("Matcher") + ("" if shared else f"workers = {len(seconds)}")
        matcher = self.start("matcher", self._text(lines, publishes=True) + bus)
        began, used = time.monotonic(), cpu_seconds(self.pids)
        self._feed(matcher, count)
        wait(lambda: sum(map(finished, senders)) >= count, f"{count} messages to be sent", poll=0.25)
        took, used = time.monotonic() - began, cpu_seconds(self.pids) - used
        return Outcome([finished(worker) for worker in workers], took, used)

    def alone(self, seconds: float, count: int, *, publishes: bool, durable: bool) -> Outcome:
        """Run one worker whose queue was filled before, without senders. :param seconds: that a message takes it.
        :param publishes: it passes each message on. :param durable: its consumer's queue is on the disk."""
        lines = f"seconds = {seconds}\npublishes = {str(publishes).lower()}\ndurable = {str(durable).lower()}\n"
        text = self._text(program("Worker") + lines + 'topics = ["work"]', "work", publishes=True, confirm="settled")
        worker = self.start("worker", text)
        client(worker).post("/pause", {"consumer": "one"})
        bus = f'\n[backends.bus]\ntype = "zeromq"\nbind = ["tcp://127.0.0.1:{free_port()}"]\n'
        matcher = self.start("matcher", self._text(program("Matcher"), publishes=True) + bus)
        self._feed(matcher, count)
        wait(lambda: sent(matcher) >= count, f"{count} messages to be at the broker")
        began, used = time.monotonic(), cpu_seconds(self.pids[:1])
        client(worker).post("/resume", {"consumer": "one"})
        wait(lambda: finished(worker) >= count, f"{count} messages to be worked")
        return Outcome([finished(worker)], time.monotonic() - began, cpu_seconds(self.pids[:1]) - used)

    def _feed(self, matcher: Path, count: int) -> None:
        recorded = self.directory / "messages.jsonl"
        recorded.write_text("".join(f'{{"topic": "org.example.a", "number": {n}}}\n' for n in range(count)))
        feed = [str(HUBBUB), "feed", str(recorded), "--quiet", "--rate", str(FEED), "-c", str(matcher)]
        subprocess.run([*feed, "--backend", "bus"], check=True)

    def _text(self, lines: str, queue: str = "", *, publishes: bool = False, confirm: str = "") -> str:
        return hub(self.broker, self.port, lines, queue, publishes, confirm)


def client(file: Path) -> Client:
    """Client of a hub. Commands would take processor time from those that are measured."""
    return Client(locate(file).socket)


def finished(file: Path) -> int:
    """Messages that a hub's consumer has finished."""
    return int(client(file).get("/status")["consumers"]["one"]["finished"])


def sent(file: Path) -> int:
    """Messages that the broker has confirmed to a hub."""
    return int(client(file).get("/status")["backends"]["queue"]["outbox_sent"])


def wait(condition: Callable[[], bool], what: str, poll: float = 0.05) -> None:
    """Wait until it is so. :raises TimeoutError: it is not, in time."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE:g} s in vain for {what}")
        time.sleep(poll)
