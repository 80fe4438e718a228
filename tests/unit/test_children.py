"""What a forked child lets go of, and where it ends. In processes of their own: a fork takes the test run with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from hub.children import detach
from tests.support import ROOT

RIG = """
import os, signal, sys, threading
from hub.children import Children, other_code

class Reactor:
    def __init__(self, *descriptors): self.descriptors, self.calls, self.later = descriptors, [], []
    def getReaders(self): return [self]
    def getWriters(self): return []
    def fileno(self): return self.descriptors[0]
    def getDelayedCalls(self): return self.calls
    def callLater(self, delay, call): self.later.append(call)

def child_of(work):
    "What a child that is forked in a call of other code ends with."
    with other_code():
        pid = os.fork()
        if pid == 0:
            work()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def fail(): raise ValueError("in the child")

readable, writable = os.pipe()
reactor = Reactor(writable)
"""


def printed(script: str) -> str:
    source = RIG + textwrap.dedent(script)
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


WATCHED = "Children(reactor, lambda: None, lambda detach: None).watch()\n"


@pytest.mark.parametrize(
    ("work", "code"),
    [
        ("sys.exit(3)", 3),
        ("sys.exit()", 0),
        ("sys.exit('why')", 1),
        ("None", 0),
        ("fail()", 1),
        ("os._exit(7)", 7),
    ],
)
def test_a_child_ends_where_it_would_come_back_to_the_hub(work: str, code: int) -> None:
    assert printed(f"{WATCHED}print(child_of(lambda: {work})); print('once')") == f"{code}\nonce\n"


def test_a_child_has_the_signal_handlers_that_python_has() -> None:
    script = """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: print("the hub's own", flush=True))
    """
    work = "(os.kill(os.getpid(), signal.{}), signal.pause())"
    for name in ("SIGTERM", "SIGHUP"):
        found = printed(textwrap.dedent(script) + WATCHED + f"print(child_of(lambda: {work.format(name)}))")
        assert found == f"{-getattr(signal, name)}\n"
    assert printed(textwrap.dedent(script) + WATCHED + f"print(child_of(lambda: {work.format('SIGINT')}))") == "1\n"


def test_a_signal_that_a_child_is_sent_at_once_is_not_lost() -> None:
    script = """
    signal.signal(signal.SIGTERM, lambda *_: None)
    os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))  # before the hub's own step
    Children(reactor, lambda: None, lambda detach: None).watch()
    print(child_of(signal.pause))
    print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
    """
    assert printed(script) == f"{-signal.SIGTERM}\nset()\n"


def test_a_child_holds_nothing_of_the_hubs() -> None:
    """Who reads from the other end sees the end once the hub is gone, whatever its child does."""
    script = """
    lock_end, lock = os.pipe()
    Children(reactor, lambda: None, lambda detach: detach(lock)).watch()
    go, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(go, 1)
        os._exit(0)
    os.close(writable), os.close(lock)
    print(os.read(readable, 1), os.read(lock_end, 1))
    os.write(told, b"x")
    """
    assert printed(script) == "b'' b''\n"


def test_a_step_that_fails_keeps_no_other_from_being_taken() -> None:
    script = """
    signal.signal(signal.SIGTERM, lambda *_: None)
    Children(None, fail, fail).watch()
    print(child_of(lambda: (os.kill(os.getpid(), signal.SIGTERM), signal.pause())))
    """
    assert printed(script) == f"{-signal.SIGTERM}\n"


def test_a_child_of_the_reactors_thread_does_not_go_on_as_a_second_reactor() -> None:
    script = """
    class Call:
        def cancel(self): print("cancelled", flush=True)
    reactor.calls.append(Call())
    Children(reactor, lambda: None, lambda detach: None).watch()
    if (pid := os.fork()) == 0:
        reactor.later[0]()
        print("still here", flush=True)
    os.waitpid(pid, 0)
    """
    assert printed(script) == "cancelled\n"


def test_the_hub_itself_goes_on_with_what_a_plugin_raises() -> None:
    script = """
    try:
        with other_code():
            fail()
    except ValueError as error:
        print(error)
    """
    assert printed(script) == "in the child\n"


def test_a_descriptor_that_is_detached_keeps_its_number() -> None:
    readable, writable = os.pipe()
    detach(writable)
    assert os.read(readable, 1) == b""
    assert os.write(writable, b"into nothing") == 12
    assert not os.get_inheritable(writable)
    os.close(writable)
    os.close(readable)
    detach(writable)  # it is closed: nothing to do
