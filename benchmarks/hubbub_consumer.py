"""The consumer that hubbub runs in the benchmark."""

from __future__ import annotations

import sys
from pathlib import Path

from hub import Consumer, Message

sys.path.insert(0, str(Path(__file__).resolve().parent))

from workload import Ledger  # type: ignore[import-not-found]


class Noop(Consumer):
    """Decodes the JSON of each message, and notes it."""

    def start(self) -> None:
        """Open the ledger."""
        self.ledger = Ledger.from_environment(self.context.name)

    def consume(self, message: Message) -> None:
        """Decode, note."""
        self.ledger.note(message.json())
