"""The newcomer's demo, ``make run``: what it shows, and that nothing is left of it, however it ends."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ROOT, free_port, require, wait_until
from tests.system.hubs import HUBBUB
from tests.system.terminal import Terminal

pytestmark = pytest.mark.system


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """With all that the demo needs; what is left of it at the end is a failure, and is ended."""
    require(shutil.which("setpriv") is not None, "setpriv, of util-linux, is not installed")
    shutil.copytree(ROOT / "contrib", tmp_path / "contrib")
    text = (ROOT / "hub.conf").read_text(encoding="utf-8")
    (tmp_path / "hub.conf").write_text(text.replace("9940", str(free_port())).replace("9941", str(free_port())))
    yield tmp_path
    left = remaining(tmp_path)
    for pid in left:
        subprocess.run(["kill", "-9", pid], check=False)
    assert left == []


def remaining(directory: Path) -> list[str]:
    """Pids of the processes that work in that directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == directory:
                found.append(process.name)
        except OSError:
            continue
    return found


def names(directory: Path) -> list[str]:
    """Of these processes."""
    found = []
    for pid in remaining(directory):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found.append(Path(f"/proc/{pid}/comm").read_text().strip())
    return found


def command(directory: Path, rate: int = 100) -> list[str]:
    return [str(directory / "contrib" / "demo.sh"), str(HUBBUB.parent), str(rate)]


def ask(directory: Path, *arguments: str) -> str:
    asked = [str(HUBBUB), *arguments, "-c", str(directory / "hub.conf")]
    return subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False).stdout


def consumers(directory: Path) -> dict[str, dict[str, float]]:
    answer = ask(directory, "status", "--json") or '{"consumers": {}}'
    found: dict[str, dict[str, float]] = json.loads(answer)["consumers"]
    return found


def test_the_link_stays_on_a_small_screen_and_there_is_something_of_all_to_see(directory: Path) -> None:
    with Terminal(command(directory), directory, columns=80, lines=24) as terminal:
        terminal.shows("Ctrl-C stops all", 60)
        wait_until(lambda: consumers(directory)["slow"]["backlog"] > 100, 60, "a backlog")
        wait_until(lambda: consumers(directory)["mirror"]["retried"] > 0, 60, "a retry")
        wait_until(lambda: ask(directory, "archive", "search", "--since", "1h", "--json"), 30, "the archive")
        wait_until(lambda: json.loads(ask(directory, "replay", "slow", "--since", "1h", "--dry-run", "--json")), 30, "")
        log = directory / "state" / "demo.log"
        wait_until(lambda: "org.example.demo.badges.award" in log.read_text(encoding="utf-8"), 30, "an award")
        (line,) = [line for line in terminal.lines() if "/#code=" in line]
        assert len(line.rstrip().partition("#code=")[2]) > 20, "on one line, whole"
        assert any("hub.conf is the configuration" in line for line in terminal.lines())
        terminal.interrupt()
        terminal.shows("consumer slow: received", 60)
        wait_until(lambda: not remaining(directory), 30, "all to be gone")


def test_the_mirror_of_the_demo_retries_rejects_and_dies() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MIRROR], cwd=ROOT / "contrib", capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.split() == ["True", "True", "True", "True"], done.stderr


MIRROR = """
import time
from hub import Message, Reject, Retry
from mirror import Mirror

class Context:
    config = Mirror.Config()
    log = None

seen = set()
for now in (1000.0, 10_030.0):
    time.time = lambda: now
    for number in range(200):
        body = b'{"msg": {"commit": {"branch": "main"}}}'
        try:
            Mirror(Context()).consume(Message(str(number), "org.example.demo.git.receive", body, received_at=now))
            seen.add("done")
        except Exception as error:
            seen.add(type(error).__name__)
        if now == 1000.0:
            Context.config = Mirror.Config(away="50s")
    Context.config = Mirror.Config()
for name in ("done", "Retry", "Reject", "ConnectionError"):
    print(name in seen)
"""


@pytest.mark.parametrize("resting", [False, True], ids=["in a burst", "between two"])
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL", "parent"])
def test_nothing_is_left_of_it(directory: Path, how: str, resting: bool) -> None:
    """Started as a shell starts what runs in its background: with SIGINT ignored. SIGHUP is not, as it may be here:
    'nohup' means it so."""
    starter = (
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"
        "demo = subprocess.Popen(sys.argv[1:], cwd='/', restore_signals=False)\n"
        "print(demo.pid, flush=True)\n"
        "demo.wait()\n"
    )
    output = directory / "output"
    with output.open("wb") as out:
        started = [sys.executable, "-c", starter, *command(directory, 2000 if resting else 20)]
        parent = subprocess.Popen(started, stdout=out, stderr=out, start_new_session=True, cwd="/")
        wait_until(lambda: output.read_text().partition("\n")[1], 20, "its pid")
        pid = output.read_text().split()[0]
        try:
            wait_until(lambda: "burst" in output.read_text(), 60, "the banner")
            if resting:
                wait_until(lambda: "sleep" in names(directory), 60, "the time between two bursts")
            if how == "parent":
                parent.kill()
            else:
                subprocess.run(["kill", f"-{signal.Signals[how].value}", pid], check=True)
            wait_until(lambda: not remaining(directory), 60, "all to be gone")
        finally:
            parent.kill()
            parent.wait(10)
