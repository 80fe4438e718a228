"""One hub to a state directory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hub.errors import ConfigError
from hub.statelock import FILE, StateLock
from tests.support import ROOT

HOLD = """
import sys
from pathlib import Path
from hub.statelock import StateLock
lock = StateLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_the_directory_is_made(tmp_path: Path) -> None:
    lock = StateLock(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b" / FILE).read_text() == f"{os.getpid()}\n"
    lock.release()


def test_who_comes_second_is_told_who_has_it(tmp_path: Path) -> None:
    lock = StateLock(tmp_path)
    with pytest.raises(ConfigError, match=f"in use by another hub, with pid {os.getpid()}"):
        StateLock(tmp_path)
    lock.release()


def test_who_was_refused_changed_nothing(tmp_path: Path) -> None:
    lock = StateLock(tmp_path)
    for _ in range(2):
        with pytest.raises(ConfigError):
            StateLock(tmp_path)
    assert (tmp_path / FILE).read_text() == f"{os.getpid()}\n"
    lock.release()


def test_after_a_release_others_may_have_it(tmp_path: Path) -> None:
    StateLock(tmp_path).release()
    StateLock(tmp_path).release()


def test_the_kernel_lets_go_of_it_when_the_process_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match=f"with pid {holder.pid}"):
            StateLock(tmp_path)
        holder.kill()
    StateLock(tmp_path).release()


def test_a_shorter_pid_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("123456789012\n")
    lock = StateLock(tmp_path)
    assert (tmp_path / FILE).read_text() == f"{os.getpid()}\n"
    lock.release()


def test_a_directory_that_can_not_be_used_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="can't be used"):
        StateLock(tmp_path / "file" / "state")


ORPHAN = """
import os, sys
from pathlib import Path
from hub.statelock import StateLock
lock = StateLock(Path(sys.argv[1]))
child = os.fork()  # by code that tells Python nothing of it, such as a library in C
if not child:
    os.close(1)
    sys.stdin.read()
    os._exit(0)
print(child, flush=True)
"""


def test_who_is_kept_out_by_a_child_of_a_dead_hub_is_told_which(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ORPHAN, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        child = holder.stdout.readline().strip()
        assert holder.wait(20) == 0
        with pytest.raises(
            ConfigError, match=f"a process that a former hub left behind: end the one with pid {child}$"
        ):
            StateLock(tmp_path)
