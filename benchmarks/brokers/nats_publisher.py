"""NATS publisher: JetStream's ``publish_async``, with its own window. ``nats_publisher.py PORT COUNT SIZE RATE``."""

from __future__ import annotations

import asyncio

import nats  # type: ignore[import-not-found]
from publication import Publication  # type: ignore[import-not-found]

SUBJECT = "messages"
WINDOW = 4000


async def main() -> None:
    """Run the publisher."""
    publication = Publication()
    client = await nats.connect(f"nats://127.0.0.1:{publication.port}")
    stream = client.jetstream(publish_async_max_pending=WINDOW)
    publication.begin()
    for number in range(publication.count):
        if (left := publication.due(number)) > 0:
            await asyncio.sleep(left)
        await stream.publish_async(SUBJECT, publication.stamped())
    await stream.publish_async_completed()
    publication.end()


asyncio.run(main())
