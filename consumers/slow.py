"""A consumer that takes its time, so that there is a backlog to watch."""

from __future__ import annotations

import time
from typing import ClassVar

from hub import Consumer, Message, Settings, setting
from hub.settings import Duration


class Slow(Consumer):
    """Sleeps for each message, and does nothing else."""

    class _Config(Settings):
        delay: Duration = setting("100ms", "How long it takes for each message.")

    Config: ClassVar[type[Settings]] = _Config

    def consume(self, message: Message) -> None:
        """Sleep."""
        time.sleep(self.config.delay)
