"""Lower bound: a loop around pyzmq's ``recv_multipart`` that decodes the JSON once for each of N consumers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import zmq

sys.path.insert(0, str(Path(__file__).resolve().parent))

from workload import Ledger  # type: ignore[import-not-found]


def main() -> None:
    """Run the loop: ``bare.py ENDPOINT CONSUMERS``."""
    endpoint, consumers = sys.argv[1], int(sys.argv[2])
    socket = zmq.Context().socket(zmq.SUB)
    socket.rcvhwm = 0
    socket.connect(endpoint)
    socket.subscribe(b"")
    ledgers = [Ledger.from_environment(f"c{number}") for number in range(consumers)]
    while True:
        _, content = socket.recv_multipart()
        for ledger in ledgers:
            ledger.note(json.loads(content))


main()
