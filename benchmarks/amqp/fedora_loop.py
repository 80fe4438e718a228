"""Consumer of fedora-messaging: ``fedora_loop.py PORT QUEUE``. Its prefetch is that of Fedora's own configuration."""

from __future__ import annotations

import sys
from typing import Any

from fedora_messaging import api, config, exceptions
from stopwatch import Stopwatch  # type: ignore[import-not-found]

PREFETCH = 25


def main() -> None:
    """Consume until the last message; the body is decoded by the library."""
    port, queue = sys.argv[1:3]
    own = {"amqp_url": f"amqp://127.0.0.1:{port}/%2F", "qos": {"prefetch_size": 0, "prefetch_count": PREFETCH}}
    config.conf.update(own)
    watch = Stopwatch()

    def take(message: Any) -> None:
        if watch.note():
            raise exceptions.HaltConsumer

    declared = {queue: {"durable": True, "auto_delete": False, "exclusive": False, "arguments": {}}}
    api.consume(take, bindings=[], queues=declared)


main()
