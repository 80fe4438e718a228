"""Work that may kill its process kills another one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hub.errors import HubError
from hub.store.fsck.apart import DiedError, apart
from tests.support import ROOT, wait_until


def double(number: int) -> tuple[int, int]:
    return number * 2, os.getpid()


def refuse(error: Exception) -> None:
    raise error


def die(code: int) -> None:
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(code)


def outlive(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    threading.Event().wait(60)


def test_it_gives_the_result_of_another_process() -> None:
    result, pid = apart(double, 21)
    assert result == 42
    assert pid != os.getpid()


@pytest.mark.parametrize("error", [HubError("a sentence"), OSError(5, "no disk")])
def test_errors_come_over(error: Exception) -> None:
    with pytest.raises(type(error), match=str(error.args[-1])):
        apart(refuse, error)


@pytest.mark.parametrize(
    ("code", "text"), [(-signal.SIGSEGV, "SIGSEGV"), (-signal.SIGBUS, "SIGBUS"), (7, "exit code 7"), (0, "exit code 0")]
)
def test_its_death_is_told_of(code: int, text: str) -> None:
    with pytest.raises(DiedError, match=text):
        apart(die, code)


def test_a_bug_in_it_is_no_death() -> None:
    with pytest.raises(HubError, match="KeyError: 'bug'") as raised:
        apart(refuse, KeyError("bug"))
    assert not isinstance(raised.value, DiedError)


def test_it_does_not_outlive_who_holds_the_lock(tmp_path: Path) -> None:
    code = "from tests.unit.store.fsck.test_apart import outlive; from hub.store.fsck.apart import apart; import sys\n"
    code += "if __name__ == '__main__': apart(outlive, sys.argv[1])"
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "pid")], cwd=ROOT)
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    pid = int((tmp_path / "pid").read_text())
    holder.kill()
    holder.wait()
    wait_until(lambda: not runs(pid))


def runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
