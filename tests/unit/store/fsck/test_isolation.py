"""Work that may kill its process kills another one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.errors import HubError
from hub.store.fsck.isolation import DiedError, isolated
from tests.support import ROOT, wait_until


def double(*numbers: int) -> Iterator[tuple[int, int]]:
    for number in numbers:
        yield number * 2, os.getpid()


def refuse(error: Exception) -> Iterator[str]:
    yield "said before"
    raise error


def die(code: int) -> Iterator[str]:
    yield "said before"
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(code)


def outlive(file: str) -> Iterator[None]:
    Path(file).write_text(str(os.getpid()))
    threading.Event().wait(60)
    yield None


def fill(file: str) -> Iterator[bytes]:
    Path(file).write_text(str(os.getpid()))
    while True:
        yield bytes(1 << 16)


def test_it_gives_the_items_of_another_process() -> None:
    items = list(isolated(double, 21, 4))
    assert [item for item, _ in items] == [42, 8]
    assert os.getpid() not in {pid for _, pid in items}


@pytest.mark.parametrize("error", [HubError("a sentence"), OSError(5, "no disk")])
def test_errors_come_over(error: Exception) -> None:
    items = isolated(refuse, error)
    assert next(items) == "said before"
    with pytest.raises(type(error), match=str(error.args[-1])):
        next(items)


@pytest.mark.parametrize(
    ("code", "text"), [(-signal.SIGSEGV, "SIGSEGV"), (-signal.SIGBUS, "SIGBUS"), (7, "exit code 7"), (0, "exit code 0")]
)
def test_its_death_is_told_of(code: int, text: str) -> None:
    items = isolated(die, code)
    assert next(items) == "said before"
    with pytest.raises(DiedError, match=text):
        next(items)


def test_a_bug_in_it_is_no_death() -> None:
    with pytest.raises(HubError, match="KeyError: 'bug'") as raised:
        list(isolated(refuse, KeyError("bug")))
    assert not isinstance(raised.value, DiedError)


def test_it_does_not_outlive_who_holds_the_lock(tmp_path: Path) -> None:
    code = "from tests.unit.store.fsck.test_isolation import outlive; import sys\n"
    code += "from hub.store.fsck.isolation import isolated; list(isolated(outlive, sys.argv[1]))"
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "pid")], cwd=ROOT)
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    pid = int((tmp_path / "pid").read_text())
    holder.kill()
    holder.wait()
    wait_until(lambda: not runs(pid))


def test_nobody_waits_for_one_whose_items_are_wanted_no_more(tmp_path: Path) -> None:
    items = isolated(fill, str(tmp_path / "pid"))
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert not runs(int((tmp_path / "pid").read_text()))


def runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
