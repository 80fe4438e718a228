"""Redis publisher: XADD through redis-py, in pipelines of ``WINDOW``. ``redis_publisher.py PORT COUNT SIZE RATE``."""

from __future__ import annotations

import time

import redis
from publication import Publication  # type: ignore[import-not-found]

STREAM = "messages"
WINDOW = 500
KEEP = 1_000_000
"""Length to which the stream is trimmed: acknowledged messages stay in it otherwise."""


def main() -> None:
    """Run the publisher."""
    publication = Publication()
    client = redis.Redis(port=publication.port)
    client.ping()
    publication.begin()
    number = 0
    for size in publication.batches(WINDOW):
        if (left := publication.due(number)) > 0:
            time.sleep(left)
        pipeline = client.pipeline(transaction=False)
        for _ in range(size):
            pipeline.xadd(STREAM, {"body": publication.stamped()}, maxlen=KEEP, approximate=True)
        pipeline.execute()
        number += size
    publication.end()


main()
