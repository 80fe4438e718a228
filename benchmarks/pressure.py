"""Publisher that never ends. ``pressure.py ENDPOINT SIZE``: it blocks while the subscriber does not keep up."""

from __future__ import annotations

import sys
from pathlib import Path

import zmq

sys.path.insert(0, str(Path(__file__).resolve().parent))

from workload import TOPIC, body  # type: ignore[import-not-found]


def main() -> None:
    """Publish until the process is killed."""
    endpoint, size = sys.argv[1], int(sys.argv[2])
    socket = zmq.Context().socket(zmq.XPUB)
    socket.setsockopt(zmq.XPUB_NODROP, 1)
    socket.bind(endpoint)
    topic, content = TOPIC.encode(), body(size)
    while True:
        socket.send(topic, zmq.SNDMORE)
        socket.send(content)


main()
