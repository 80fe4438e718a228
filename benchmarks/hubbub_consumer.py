"""Consumer that hubbub runs in the benchmark."""

from __future__ import annotations

import sys
from pathlib import Path

from hub import Consumer, Message

sys.path.insert(0, str(Path(__file__).resolve().parent))

from workload import Ledger  # type: ignore[import-not-found]


class Noop(Consumer):
    """Decode the JSON of each message, and note it."""

    def start(self) -> None:
        """Open the ledger."""
        self.ledger = Ledger.from_environment(self.context.name)

    def consume(self, message: Message) -> None:
        """Decode and note a message."""
        self.ledger.note(message.json())
