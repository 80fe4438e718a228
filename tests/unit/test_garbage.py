"""Garbage is collected while the hub runs, and not while it is imported."""

from __future__ import annotations

import subprocess
import sys

from hub.garbage import GC_THRESHOLD

COLLECTOR = """
import gc
from twisted.internet import reactor
from hub.process import Process
from hub.systemd import Notifier

class Enough(Exception):
    pass

def load():
    print(gc.isenabled(), gc.get_freeze_count() > 0, gc.get_threshold()[0])
    raise Enough

gc.disable()
try:
    Process(load, reactor, Notifier({})).run()
except Enough:
    pass
"""


def test_a_hub_collects_garbage_but_not_what_it_has_imported() -> None:
    """Its start does without."""
    done = subprocess.run([sys.executable, "-c", COLLECTOR], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", str(GC_THRESHOLD)]
