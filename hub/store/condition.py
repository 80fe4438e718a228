"""What the disk lets the writer do, and who is told."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from typing import Literal

import lmdb

from hub.store.pending import Pending

State = Literal["ok", "full", "failed"]
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
BEHIND = ("behind", "the disk does not keep up")
LITTLE = 16 << 20
"""Bytes. With less free space than that, a failed write is put down to the disk being full."""


class Condition:
    """Belongs to the writer's thread, but for ``now`` and ``tell``.

    :param free: bytes that the disk has left.
    :ivar on_change: told of each change, with the state and the reason. Two threads may tell at the same time, so it
        asks ``now`` for what is so, and does not go by what it is told last.
    """

    def __init__(self, pending: Pending, free: Callable[[], int], log: logging.LoggerAdapter[logging.Logger]) -> None:
        self.state: State = "ok"
        self.reason = ""
        self.on_change: Callable[[str, str], None] = lambda state, reason: None
        self._pending = pending
        self._free = free
        self._log = log

    @property
    def now(self) -> tuple[str, str]:
        """The state, and the reason: ``ok``, ``full``, ``behind`` or ``failed``."""
        return BEHIND if self.state == "ok" and self._pending.swamped else (self.state, self.reason)

    def tell(self) -> None:
        """What is so now."""
        self.on_change(*self.now)

    def is_full(self, error: Exception) -> bool:
        """Whether that error says that the disk is full."""
        code = getattr(error, "code", 0) or getattr(error, "errno", 0) or 0
        # LMDB calls a write that came short, as the last one before a disk is full does, an I/O error.
        short = code == errno.EIO and self._free() < LITTLE
        return isinstance(error, (lmdb.MapFullError, lmdb.DiskError)) or code in FULL or short

    def failed(self, error: Exception) -> None:
        """A full disk is waited for: what is in memory stays there, and the next commit has it. After anything else
        nobody knows what is on the disk, so nothing is believed again (as PostgreSQL does after a failed fsync)."""
        self.become("full" if self.is_full(error) else "failed", str(error))

    def become(self, state: State, reason: str) -> bool:
        """Tell of it, if it is another one. Returns whether it is."""
        if state == self.state:
            return False
        self.state, self.reason = state, reason
        if state == "ok":
            self._log.info("the store can write again", extra={"action": "store"})
        else:
            self._log.error("the store is %s: %s", state, reason, extra={"action": "store"})
        self.tell()
        return True
