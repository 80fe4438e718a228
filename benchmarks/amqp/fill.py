"""Fills a queue: ``fill.py PORT QUEUE COUNT SIZE``. Messages are as fedora-messaging sends them."""

from __future__ import annotations

import json
import sys
import uuid

import pika

HEADERS = {
    "fedora_messaging_schema": "base.message",
    "fedora_messaging_schema_package": "fedora_messaging",
    "sent-at": "2026-11-28T15:18:51+00:00",
    "fedora_messaging_severity": 20,
    "priority": 0,
}


def main() -> None:
    """Publish, and wait until the broker has all of it."""
    port, queue, count, size = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))
    channel = connection.channel()
    channel.queue_declare(queue, durable=True)
    for number in range(count):
        body = json.dumps({"n": number, "text": "x" * (size - 30)})
        properties = pika.BasicProperties(
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2,
            message_id=str(uuid.uuid4()),
            headers=HEADERS,
        )
        channel.basic_publish("", queue, body.encode(), properties)
    # A transaction after them is answered when they are in the queue.
    channel.tx_select()
    channel.tx_commit()
    connection.close()


main()
