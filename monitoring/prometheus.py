"""The hub's numbers for Prometheus, in its text format or in OpenMetrics: what the web server answers to a scrape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from hub.monitoring.prometheus_families import families

OPEN_METRICS = "application/openmetrics-text"
ESCAPING = "; escaping=allow-utf-8"
"""Of metric names: ours are plain in every scheme, and this is the one that the library does not walk through letter by
letter. So the answer need not name it."""
LONGEST_ACCEPT = 4096
"""Characters of an ``Accept`` header that are looked at."""


class _Snapshot(Collector):
    """One snapshot, as the client library wants to be given numbers that it did not count itself."""

    def __init__(self, snapshot: Mapping[str, Any]) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        return families(self._snapshot)


def render(snapshot: Mapping[str, Any], accept: str | None) -> tuple[str, bytes]:
    """All numbers of a snapshot. It takes some 4 us for each: 16 consumers have a thousand.

    :param accept: the scraper's ``Accept`` header. OpenMetrics if it names that, else the text format that every
        scraper reads.
    :returns: the content type, and the body.
    """
    encode, content_type = choose_encoder(_understood(accept or ""))
    registry = CollectorRegistry()
    registry.register(_Snapshot(snapshot))
    return content_type.removesuffix(ESCAPING), encode(registry)


def _understood(accept: str) -> str:
    # Of a stranger's header only the choice goes on: the library repeats its version in the answer, and raises on
    # one that is no number.
    types = (part.partition(";")[0].strip().lower() for part in accept[:LONGEST_ACCEPT].split(","))
    return f"{OPEN_METRICS}; version=1.0.0{ESCAPING}" if OPEN_METRICS in types else ""
