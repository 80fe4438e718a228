"""Mirror consumer for the demo, which fails at times: its target is unreachable, busy, or rejects a message."""

from __future__ import annotations

import time
import zlib
from typing import ClassVar

from hub import Consumer, Message, Reject, Retry, Settings, setting
from hub.settings import Duration


class Mirror(Consumer):
    """Pretend to copy pushes to a mirror."""

    topics = ("org.example.demo.git.#",)

    class _Config(Settings):
        period: Duration = setting("2m", "How often the mirror goes away.", gt=0)
        away: Duration = setting("15s", "For how long, each time.")

    Config: ClassVar[type[Settings]] = _Config

    def consume(self, message: Message) -> None:
        """Copy a push.

        :raises Retry: the mirror is busy.
        :raises Reject: the mirror does not have the branch.
        :raises ConnectionError: the mirror is unreachable.
        """
        if time.time() % self.config.period < self.config.away:
            raise ConnectionError("the mirror does not answer")
        chance = zlib.crc32(message.id.encode()) % 40
        if chance == 0:
            raise Reject(f"the mirror has no branch {message.json()['msg']['commit']['branch']!r}")
        if chance < 4 and time.time() - message.received_at < 5:
            raise Retry("5s", "the mirror is busy")
