"""Measures the parser and the encoder of STOMP alone: ``python -m benchmarks.stomp_frames``.

Each line is the time of one frame in microseconds: the best of some rounds, in the process' own time.
"""

from __future__ import annotations

import itertools
import time
import timeit
from collections.abc import Callable

from hub.backends.stomp.frame import Version, assemble, encode, encode_headers
from hub.backends.stomp.limits import Limits
from hub.backends.stomp.parser import Parser

FRAMES = 1000
SEGMENT = 64 << 10
"""Bytes that are read from a socket at once."""
BODY = b"x" * 500
HEADERS = {"destination": "/topic/org.example.git.receive", "content-type": "application/json"}


def measure(name: str, work: Callable[[], object], frames: int = FRAMES) -> None:
    """Print the time of a frame."""
    best = min(timeit.repeat(work, number=1, repeat=50, timer=time.process_time))
    print(f"{name:45} {best / frames * 1e6:6.2f} us")


def parsing(frames: list[bytes]) -> Callable[[], None]:
    """Return the work of parsing a stream of frames, cut into segments."""
    stream = b"".join(frames)
    segments = [stream[begin : begin + SEGMENT] for begin in range(0, len(stream), SEGMENT)]

    def work() -> None:
        parser = Parser(Limits())
        parser.logged_in()
        count = sum(1 for segment in segments for _ in parser.feed(segment))
        assert count == len(frames)

    return work


def main() -> None:
    """Measure."""
    receipts = itertools.count(1)
    same = [encode("SEND", HEADERS, BODY)] * FRAMES
    different = [encode("SEND", {**HEADERS, "receipt": f"m-{next(receipts)}"}, BODY) for _ in range(FRAMES)]
    escaped = [encode("SEND", {**HEADERS, "receipt": f"m:{next(receipts)}"}, BODY) for _ in range(FRAMES)]
    measure("parse SEND, one head", parsing(same))
    measure("parse SEND, a head each", parsing(different))
    measure("parse SEND, a head each, with an escape", parsing(escaped))
    measure("parse SEND, a head each, CR LF", parsing([frame.replace(b"\n", b"\r\n") for frame in different]))

    subscription = b"MESSAGE\n" + encode_headers({"subscription": "1", **HEADERS}, Version.V12)
    ids = [{"message-id": f"7-{number}"} for number in range(FRAMES)]
    measure(
        "encode MESSAGE, of a known head",
        lambda: [assemble(subscription + encode_headers(one, Version.V12), BODY) for one in ids],
    )
    whole = [{"subscription": "1", **HEADERS, **one} for one in ids]
    measure("encode MESSAGE, whole", lambda: [encode("MESSAGE", one, BODY) for one in whole])


if __name__ == "__main__":
    main()
