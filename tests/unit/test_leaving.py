"""What keeps the process from ending is named, and it ends. In processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.support import PATIENCE, ROOT

RIG = """
import logging, multiprocessing, os, select, sys, threading, time
from concurrent.futures import ThreadPoolExecutor
from hub.leaving import Leaving
from hub.partlog import part_log

logging.basicConfig(format="%(message)s")
# A function of this module would keep what is in it from being closed: a daemon is in its hands to the end.
leaving = Leaving(part_log("hub", "process"), os.getpid, patience=PATIENCE)
"""


ENDS_BY_ITSELF = 60.0
"""More patience than any process needs that nothing keeps, however busy the machine is."""


def run(
    script: str, stdout: int = subprocess.PIPE, patience: float = ENDS_BY_ITSELF
) -> subprocess.CompletedProcess[str]:
    source = RIG.replace("PATIENCE", str(patience)) + textwrap.dedent(script)
    command = [sys.executable, "-c", source]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return subprocess.run(
        command, cwd=ROOT, env=environ, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60 * PATIENCE
    )


def test_where_nothing_keeps_it_the_process_ends_as_any_other() -> None:
    done = run("import atexit; atexit.register(print, 'cleaned up'); leaving.begin(3); sys.exit(9)")
    assert (done.returncode, done.stdout, done.stderr) == (9, "cleaned up\n", "")


def test_a_file_that_is_open_is_written_to_the_end(tmp_path: Path) -> None:
    run(f"file = open({str(tmp_path / 'file')!r}, 'w'); file.write('all of it'); leaving.begin(3); sys.exit(9)")
    assert (tmp_path / "file").read_text() == "all of it"


def test_a_busy_executor_is_named_and_the_process_ends() -> None:
    done = run(
        """
    ThreadPoolExecutor(1, "pool-of-ann").submit(time.sleep, 1000)
    leaving.begin(3)
    sys.exit(9)
    """,
        patience=0.2,
    )
    assert done.returncode == 3
    assert "thread pool-of-ann_0, in " in done.stderr
    assert "keeps the process from ending: it is terminated" in done.stderr


def test_a_pool_that_a_daemon_made_is_named_too() -> None:
    """As one that is made in start() of a consumer."""
    done = run(
        """
    def make(): ThreadPoolExecutor(1, "pool-of-ann").submit(time.sleep, 1000)
    maker = threading.Thread(target=make, daemon=True)
    maker.start()
    maker.join()
    leaving.begin(3)
    sys.exit(9)
    """,
        patience=0.2,
    )
    assert done.returncode == 3
    assert "thread pool-of-ann_0, in " in done.stderr


def test_a_child_process_is_named_and_ended() -> None:
    done = run(
        """
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(1000,), name="child-of-ann")
    child.start()
    print(child.pid, flush=True)
    leaving.begin(0)
    sys.exit(9)
    """,
        patience=0.2,
    )
    assert done.returncode == 0
    assert "child process child-of-ann, with pid " in done.stderr
    assert not os.path.exists(f"/proc/{int(done.stdout)}/exe")


def test_what_hangs_at_the_end_is_named() -> None:
    done = run("import atexit; atexit.register(time.sleep, 1000); leaving.begin(3); sys.exit(9)", patience=0.2)
    assert done.returncode == 3
    assert "an atexit function, in " in done.stderr


def test_a_reader_of_standard_output_that_has_stopped_does_not_keep_it() -> None:
    out, into = os.pipe()
    done = run(
        """
        import atexit, hub.leaving
        hub.leaving.LAST_OUTPUT = 0.05
        atexit.register(print, "cleaned up", file=sys.stderr)
        threading.Thread(target=lambda: [print("x" * 1000) for _ in range(1000)], daemon=True).start()
        while select.select([], [1], [], 0)[1]:
            pass
        leaving.begin(3)
        sys.exit(9)
        """,
        stdout=into,
    )
    os.close(out)
    os.close(into)
    assert done.returncode == 9
    assert "nobody reads standard output" in done.stderr
    assert "cleaned up" in done.stderr


@pytest.mark.parametrize("output", ["stdout", "stderr"])
def test_a_daemon_that_goes_on_printing_does_not_make_it_abort(output: str) -> None:
    for _ in range(3):  # it did so two times of three
        done = run(f"""
        def print_on():
            while True:
                print("x" * 200, file=sys.{output})
        for _ in range(2):
            threading.Thread(target=print_on, daemon=True).start()
        time.sleep(0.1)
        leaving.begin(3)
        sys.exit(9)
        """)
        assert done.returncode == 9
        assert "Fatal Python error" not in done.stderr


def test_a_reader_that_is_gone_is_no_error() -> None:
    out, into = os.pipe()
    os.close(out)
    done = run("print('nobody reads it'); leaving.begin(0); sys.exit(9)", stdout=into)
    os.close(into)
    assert (done.returncode, done.stderr) == (9, "")
