"""How much of it: ``HUBBUB_FAULTS=full`` (``make faults``) or ``quick``, which is a part of ``make test``."""

from __future__ import annotations

import os

FULL = os.environ.get("HUBBUB_FAULTS", "quick") == "full"
SEED = int(os.environ.get("HUBBUB_FAULTS_SEED", "20"))
"""Of all that is drawn at random; each test prints it."""


def sized(quick: int, full: int) -> int:
    """The one that counts in this run."""
    return full if FULL else quick
