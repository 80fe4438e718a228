"""Condition of the disk, as the writer finds it, with a callback for changes."""

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
"""Bytes of free space below which a failed write means that the disk is full."""


class DiskCondition:
    """Condition of the disk. Used in the writer's thread, except ``now`` and ``tell``.

    :param free: returns the free bytes of the disk.
    :ivar on_change: called at each change, with the state and the reason. Two threads may call it at the same time, so
        it should read ``now`` instead of relying on the order of calls.
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
        """The state (``ok``, ``full``, ``behind`` or ``failed``) and the reason."""
        return BEHIND if self.state == "ok" and self._pending.swamped else (self.state, self.reason)

    def tell(self) -> None:
        """Call ``on_change`` with the current state."""
        self.on_change(*self.now)

    def is_full(self, error: Exception) -> bool:
        """Tell whether an error means that the disk is full."""
        code = getattr(error, "code", None) or getattr(error, "errno", None)
        # LMDB reports a short write, such as the last one before a disk is full, as an I/O error.
        short = code == errno.EIO and self._free() < LITTLE
        return isinstance(error, (lmdb.MapFullError, lmdb.DiskError)) or code in FULL or short

    def failed(self, error: Exception) -> None:
        """Handle a failed write. If the disk is full, the next commit retries with all that is in memory. After any
        other error the content of the disk is unknown, so nothing is written again (as PostgreSQL after a failed
        fsync)."""
        self.become("full" if self.is_full(error) else "failed", str(error))

    def become(self, state: State, reason: str) -> bool:
        """Change the state, log it and call ``on_change``. Returns whether it is a new one."""
        if state == self.state:
            return False
        self.state, self.reason = state, reason
        if state == "ok":
            self._log.info("the store can write again", extra={"action": "store"})
        else:
            self._log.error("the store is %s: %s", state, reason, extra={"action": "store"})
        self.tell()
        return True
