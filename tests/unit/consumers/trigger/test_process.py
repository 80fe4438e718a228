"""A run of a command, with real processes: its input and output, its limits, and what is left of it (nothing)."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hub.consumers.trigger.output import MOST_BYTES
from hub.consumers.trigger.process import Ended, Order, run
from tests.support import wait_until

FOREVER = 100.0


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., Order]:
    """What runs a line of shell."""
    found = Order(
        "/bin/sh", ["sh"], {b"PATH": os.fsencode(os.environ["PATH"])}, tmp_path, b"", FOREVER, FOREVER, FOREVER
    )
    return lambda line, **changes: replace(found, arguments=["sh", "-c", line], **changes)


def ran(order: Order, stopping: threading.Event | None = None) -> Ended:
    return run(order, stopping or threading.Event(), time.monotonic)


class Jumping:
    """A clock that stands still until a file exists, and jumps past a limit at each look from then on."""

    def __init__(self, ready: Path) -> None:
        self._ready = ready
        self._now = 0.0

    def __call__(self) -> float:
        if self._ready.exists():
            self._now += 10 * FOREVER
        return self._now


def gone(pid: int) -> bool:
    """Whether there is no such process, or only its zombie, which whoever adopts it has not reaped yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_it_reads_all_that_it_is_given_and_its_output_is_kept(shell: Callable[..., Order]) -> None:
    ended = ran(shell("wc -c; echo oops >&2; exit 3", given=b"x" * 1_000_000))
    assert (ended.status, ended.cut, ended.stdout.strip(), ended.stderr) == (3, None, b"1000000", b"oops\n")


def test_one_that_does_not_read_its_input_is_not_waited_for(shell: Callable[..., Order]) -> None:
    assert ran(shell("exit 0", given=b"x" * 1_000_000)).status == 0
    assert ran(shell("exec 0<&-; echo done", given=b"x" * 1_000_000)).stdout == b"done\n"


def test_output_without_end_is_read_and_bounded(shell: Callable[..., Order]) -> None:
    ended = ran(shell("yes | head -c 3000000; yes no | head -c 3000000 >&2"))
    assert (ended.status, set(ended.stdout), set(ended.stderr)) == (0, set(b"y\n"), set(b"no\n"))
    assert max(len(ended.stdout), len(ended.stderr)) <= MOST_BYTES


def test_it_is_told_to_end_when_its_time_is_up(shell: Callable[..., Order], tmp_path: Path) -> None:
    line = "trap 'echo told; exit 0' TERM; : > ready; while :; do sleep 0.02; done"
    ended = run(shell(line, grace=float("inf")), threading.Event(), Jumping(tmp_path / "ready"))
    assert (ended.status, ended.cut, ended.stdout) == (0, "longest", b"told\n")


def test_one_that_does_not_listen_is_killed_with_all_that_it_began(shell: Callable[..., Order], tmp_path: Path) -> None:
    line = "trap '' TERM; sleep 1000 & echo $! > child; echo $$ > own; : > ready; while :; do sleep 0.02; done"
    ended = run(shell(line), threading.Event(), Jumping(tmp_path / "ready"))
    assert (ended.status, ended.cut) == (-signal.SIGKILL, "longest")
    assert gone(int((tmp_path / "own").read_text()))
    wait_until(lambda: gone(int((tmp_path / "child").read_text())))


def test_what_it_leaves_behind_in_its_group_ends_with_it(shell: Callable[..., Order], tmp_path: Path) -> None:
    assert ran(shell("sleep 1000 & echo $! > child")).status == 0
    wait_until(lambda: gone(int((tmp_path / "child").read_text())))


def test_who_left_the_group_and_holds_the_output_holds_up_nobody(shell: Callable[..., Order], tmp_path: Path) -> None:
    line = "setsid sh -c 'echo $$ > child; exec sleep 1000' & while ! [ -s child ]; do :; done; echo out"
    ended = ran(shell(line))
    child = int((tmp_path / "child").read_text())
    try:
        assert (ended.status, ended.stdout) == (0, b"out\n")
    finally:
        os.kill(child, signal.SIGKILL)


def test_one_in_hand_may_go_on_for_a_while_when_the_consumer_is_to_end(
    shell: Callable[..., Order], tmp_path: Path
) -> None:
    stopping = threading.Event()
    stopping.set()
    looks = itertools.count()

    def clock() -> float:
        if next(looks) == 4:
            (tmp_path / "go").touch()
        return 0.0

    ended = run(shell("until [ -e go ]; do sleep 0.02; done; echo done"), stopping, clock)
    assert (ended.status, ended.cut, ended.stdout) == (0, None, b"done\n")
    order = shell(": > ready; exec sleep 1000", longest=float("inf"))
    ended = run(order, stopping, Jumping(tmp_path / "ready"))
    assert (ended.status, ended.cut) == (-signal.SIGTERM, "stopping")


def test_it_learns_of_the_end_in_its_midst(shell: Callable[..., Order], tmp_path: Path) -> None:
    stopping = threading.Event()
    found: list[Ended] = []
    order = shell("echo > begun; exec sleep 1000", stop_after=0.0)
    thread = threading.Thread(target=lambda: found.append(ran(order, stopping)))
    thread.start()
    wait_until((tmp_path / "begun").exists)
    stopping.set()
    thread.join(20)
    assert [ended.cut for ended in found] == ["stopping"]


def test_it_has_no_descriptor_of_ours_and_is_in_a_session_of_its_own(shell: Callable[..., Order]) -> None:
    ours = os.dup2(1, 200, inheritable=True)
    try:
        ended = ran(shell("for d in /proc/$$/fd/*; do echo ${d##*/}; done; cat /proc/$$/stat | cut -d' ' -f1,5,6"))
    finally:
        os.close(ours)
    *descriptors, stat = ended.stdout.decode().splitlines()
    assert {"0", "1", "2"} <= {*descriptors} <= {"0", "1", "2", "3"}, "the shell opens the directory as 3"
    pid, group, session = stat.split()
    assert pid == group == session


def test_signals_that_python_ignores_end_it(shell: Callable[..., Order]) -> None:
    assert ran(shell("kill -PIPE $$")).status == -signal.SIGPIPE
    assert ran(shell("kill -SEGV $$")).status == -signal.SIGSEGV


def test_nothing_is_left_open_and_no_process_is_left(shell: Callable[..., Order], tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(5):
        ran(shell("cat >&2", given=b"x" * 100_000))
    with pytest.raises(FileNotFoundError):
        ran(replace(shell(""), program=str(tmp_path / "none")))
    with pytest.raises(FileNotFoundError):
        ran(replace(shell(""), directory=tmp_path / "none"))
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_error_of_ours_leaves_no_process_either(shell: Callable[..., Order], tmp_path: Path) -> None:
    times = iter([0.0])
    begun: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def popen(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        begun.append(real(*arguments, **options))  # type: ignore[call-overload]
        return begun[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hub.consumers.trigger.process.subprocess.Popen", popen)
        with pytest.raises(StopIteration):
            run(shell("exec sleep 1000"), threading.Event(), lambda: next(times))
    assert begun[0].returncode == -signal.SIGKILL
