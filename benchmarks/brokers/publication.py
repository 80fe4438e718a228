"""Publication plan of a broker's publisher: messages and their times. Standard library only, like ``workload``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from workload import body  # type: ignore[import-not-found]


class Publication:
    """Publication of ``PORT COUNT SIZE RATE``, from the command line; rate 0: as fast as the broker confirms.

    The publisher prints that it is connected, waits for a line on standard input, prints its start time, and sends.
    """

    def __init__(self) -> None:
        self.port, self.count, size = map(int, sys.argv[1:4])
        self.rate = float(sys.argv[4])
        self.content: bytes = body(size)
        self._before, _, self._after = self.content.partition(b"0" * 16)
        self._began = 0

    def begin(self) -> None:
        """Report that the publisher is connected, and wait for the start."""
        print("connected", flush=True)
        sys.stdin.readline()
        self._began = time.monotonic_ns()
        print(self._began, flush=True)

    def due(self, number: int) -> float:
        """Seconds until the time of message ``number``; 0 without a rate."""
        if not self.rate:
            return 0.0
        return max(0.0, (self._began + number * 1e9 / self.rate - time.monotonic_ns()) / 1e9)

    def stamped(self) -> bytes:
        """Body of the next message, to be sent now; it contains the time only with a rate."""
        return self._before + b"%016d" % time.monotonic_ns() + self._after if self.rate else self.content

    def batches(self, most: int) -> Iterator[int]:
        """Sizes of the batches to send; with a rate, each batch is one message."""
        most = 1 if self.rate else most
        for first in range(0, self.count, most):
            yield min(most, self.count - first)

    def end(self) -> None:
        """Wait for a line on standard input: all messages are confirmed."""
        sys.stdin.readline()
