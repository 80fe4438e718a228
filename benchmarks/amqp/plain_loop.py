"""Plain loop of pika: each message is decoded, then acknowledged. ``plain_loop.py PORT QUEUE``."""

from __future__ import annotations

import json
import sys
from typing import Any

import pika
from stopwatch import Stopwatch  # type: ignore[import-not-found]

PREFETCH = 1000


def main() -> None:
    """Consume until the last message."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(sys.argv[1])))
    channel, watch = connection.channel(), Stopwatch()

    def take(_: Any, method: Any, properties: Any, body: bytes) -> None:
        json.loads(body)
        channel.basic_ack(method.delivery_tag)
        if watch.note():
            channel.stop_consuming()

    channel.basic_qos(prefetch_count=PREFETCH)
    channel.basic_consume(sys.argv[2], take)
    channel.start_consuming()
    connection.close()


main()
