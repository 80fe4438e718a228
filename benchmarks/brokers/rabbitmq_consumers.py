"""RabbitMQ consumers: N threads, each with a connection and a queue. ``rabbitmq_consumers.py PORT CONSUMERS``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from threading import Thread
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pika
from workload import Ledger, ready  # type: ignore[import-not-found]

EXCHANGE = "messages"
PREFETCH = 1000
VERSION = {"x-queue-version": 2}
"""Storage version of a queue: the default since RabbitMQ 4. It never syncs; 3.10's default does, and is 10% slower."""


def consume(connection: Any, channel: Any, queue: str) -> None:
    """Note the messages that have arrived together, then acknowledge them at once."""
    ledger, last = Ledger.from_environment(queue), 0

    def take(_channel: Any, method: Any, _properties: Any, content: bytes) -> None:
        nonlocal last
        ledger.note(json.loads(content))
        last = method.delivery_tag

    channel.basic_qos(prefetch_count=PREFETCH)
    channel.basic_consume(queue, take)
    while True:
        connection.process_data_events(time_limit=None)
        channel.basic_ack(last, multiple=True)


def main() -> None:
    """Run the consumers."""
    for queue in [f"c{number}" for number in range(int(sys.argv[2]))]:
        connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(sys.argv[1])))
        channel = connection.channel()
        channel.exchange_declare(EXCHANGE, "fanout", durable=True)
        channel.queue_declare(queue, durable=True, arguments=VERSION)
        channel.queue_bind(queue, EXCHANGE)
        Thread(target=consume, args=(connection, channel, queue)).start()
    ready()


main()
