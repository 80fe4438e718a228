"""``python failing_hub.py COMMITS run -c FILE``: the hub, on a disk that fails after so many commits."""

from __future__ import annotations

import errno
import sys
from contextlib import contextmanager
from typing import Any

from hub.cli import main
from hub.store.tables import Tables

left = int(sys.argv.pop(1))
writing = Tables.writing


@contextmanager
def failing(tables: Tables) -> Any:
    """As fsync fails: what was written may or may not be on the disk, and nobody knows."""
    global left
    left -= 1
    with writing(tables) as transaction:
        yield transaction
    if left < 0:
        raise OSError(errno.EIO, "Input/output error")


Tables.writing = failing  # type: ignore[assignment, method-assign]
main()
