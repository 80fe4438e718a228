"""moksha.hub 1.5.17, started as a library. ``moksha_hub.py ENDPOINT CONSUMERS``."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import moksha.hub
import moksha.hub.api.consumer
from workload import TOPIC, Ledger  # type: ignore[import-not-found]

logging.basicConfig(level=logging.INFO)


def consumer_class(number: int) -> type:
    """Consumer class of that number. moksha decodes the JSON for each consumer by itself (``jsonify``)."""

    class Noop(moksha.hub.api.consumer.Consumer):  # type: ignore[misc]
        topic = TOPIC
        jsonify = True

        def __init__(self, hub: Any) -> None:
            self.ledger = Ledger.from_environment(f"c{number}")
            super().__init__(hub)

        def consume(self, message: Any) -> None:
            self.ledger.note(message["body"])

    return type(f"Noop{number}", (Noop,), {})


options = {
    "zmq_enabled": True,
    "zmq_publish_endpoints": "",
    "zmq_subscribe_endpoints": sys.argv[1],
    "zmq_strict": False,
    "moksha.workers_per_consumer": 1,
}
classes = [consumer_class(number) for number in range(int(sys.argv[2]))]
moksha.hub.main(options=options, consumers=classes, producers=[], framework=False)
