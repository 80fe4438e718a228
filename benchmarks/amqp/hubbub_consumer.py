"""Consumer that hubbub runs in the benchmark of AMQP."""

from __future__ import annotations

import sys
from pathlib import Path

from hub import Consumer, Message

sys.path.insert(0, str(Path(__file__).resolve().parent))

from stopwatch import Stopwatch  # type: ignore[import-not-found]


class Timed(Consumer):
    """Decode the JSON of each message, and note it."""

    def start(self) -> None:
        """Make the stopwatch."""
        self.watch = Stopwatch()

    def consume(self, message: Message) -> None:
        """Decode and note a message."""
        message.json()
        self.watch.note()
