"""Redis consumers: N threads, each with a connection and a consumer group. ``redis_consumers.py PORT CONSUMERS``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from threading import Thread

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import redis
from workload import Ledger, ready  # type: ignore[import-not-found]

STREAM = "messages"
BATCH = 500


def consume(port: int, group: str) -> None:
    """Read waiting messages, note them, and acknowledge them in one command."""
    client, ledger = redis.Redis(port=port), Ledger.from_environment(group)
    while True:
        for _, entries in client.xreadgroup(group, "worker", {STREAM: ">"}, count=BATCH, block=4000) or ():
            for _, fields in entries:
                ledger.note(json.loads(fields[b"body"]))
            client.xack(STREAM, group, *[entry for entry, _ in entries])


def main() -> None:
    """Run the consumers."""
    port, groups = int(sys.argv[1]), [f"c{number}" for number in range(int(sys.argv[2]))]
    client = redis.Redis(port=port)
    for group in groups:
        client.xgroup_create(STREAM, group, id="0", mkstream=True)
    threads = [Thread(target=consume, args=(port, group)) for group in groups]
    for thread in threads:
        thread.start()
    ready()


main()
