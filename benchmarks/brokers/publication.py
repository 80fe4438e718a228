"""What a publisher of a broker is told to send, and when. Standard library only, like ``workload``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from workload import body  # type: ignore[import-not-found]


class Publication:
    """``PORT COUNT SIZE RATE`` on the command line; a rate of 0 means as fast as the broker confirms.

    The publisher says when it is connected, waits for a line on standard input, says when it begins, and sends.
    """

    def __init__(self) -> None:
        self.port, self.count, size = map(int, sys.argv[1:4])
        self.rate = float(sys.argv[4])
        self.content: bytes = body(size)
        self._before, _, self._after = self.content.partition(b"0" * 16)
        self._began = 0

    def begin(self) -> None:
        """When connected."""
        print("connected", flush=True)
        sys.stdin.readline()
        self._began = time.monotonic_ns()
        print(self._began, flush=True)

    def due(self, number: int) -> float:
        """Seconds until that message's time; none if there is no rate."""
        if not self.rate:
            return 0.0
        return max(0.0, (self._began + number * 1e9 / self.rate - time.monotonic_ns()) / 1e9)

    def stamped(self) -> bytes:
        """The next message, to be sent now; the time is only in it if there is a rate."""
        return self._before + b"%016d" % time.monotonic_ns() + self._after if self.rate else self.content

    def batches(self, most: int) -> Iterator[int]:
        """Sizes of the batches to send it in: of one each if there is a rate."""
        most = 1 if self.rate else most
        for first in range(0, self.count, most):
            yield min(most, self.count - first)

    def end(self) -> None:
        """All is confirmed; stay until told."""
        sys.stdin.readline()
