"""Stopwatch of a consumer: from the first message to the last. It is imported in each consumer's own environment."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path


class Stopwatch:
    """Counts messages, and writes the rate to a file once the last has come: ``BENCH_COUNT``, ``BENCH_RESULT``."""

    def __init__(self) -> None:
        self._count = int(os.environ["BENCH_COUNT"])
        self._place = Path(os.environ["BENCH_RESULT"])
        self._seen = 0
        self._began = 0.0

    def note(self) -> bool:
        """Note a message. :returns: true if it was the last."""
        self._seen += 1
        if self._seen == 1:
            self._began = time.monotonic()
        if self._seen != self._count:
            return False
        seconds = time.monotonic() - self._began
        made = self._place.with_suffix(".new")
        made.write_text(json.dumps({"rate": (self._count - 1) / seconds}))
        made.replace(self._place)
        return True
