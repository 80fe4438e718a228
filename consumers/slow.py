"""Slow consumer, for tests and demonstrations of a backlog."""

from __future__ import annotations

import time
from typing import ClassVar

from hub import Consumer, Message, Settings, setting
from hub.settings import Duration


class Slow(Consumer):
    """Sleep for each message, and do nothing else."""

    class _Config(Settings):
        delay: Duration = setting("100ms", "Time to sleep for each message.")

    Config: ClassVar[type[Settings]] = _Config

    def consume(self, message: Message) -> None:
        """Sleep for ``delay``."""
        time.sleep(self.config.delay)
