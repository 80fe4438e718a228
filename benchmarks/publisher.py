"""Publisher with a plain PUB socket, in its own process. ``publisher.py ENDPOINT COUNT SIZE RATE`` (0: no limit).

It waits for a subscription and a line on standard input, writes its start time, sends, and waits for another line.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import zmq

sys.path.insert(0, str(Path(__file__).resolve().parent))

from workload import TOPIC, body  # type: ignore[import-not-found]


def main() -> None:
    """Run the publisher."""
    endpoint, count, size, rate = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    context = zmq.Context()
    socket = context.socket(zmq.XPUB)
    socket.sndhwm = 0
    socket.bind(endpoint)
    socket.recv()
    print("subscribed", flush=True)
    sys.stdin.readline()
    topic, content = TOPIC.encode(), body(size)
    before, stamp, after = content.partition(b"0" * 16)
    began = time.monotonic_ns()
    print(began, flush=True)
    for number in range(count):
        if rate:
            due = began + int(number * 1e9 / rate)
            while (left := due - time.monotonic_ns()) > 0:
                time.sleep(left / 1e9)
            content = before + b"%016d" % time.monotonic_ns() + after
        socket.send(topic, zmq.SNDMORE)
        socket.send(content)
    assert stamp
    sys.stdin.readline()
    context.destroy(linger=0)


main()
