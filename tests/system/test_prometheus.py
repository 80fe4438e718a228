"""The client library's own parsers read what a real hub answers a scrape with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain

from tests.support import PATIENCE, free_port, wait_until
from tests.system.lagging import lagging_hub

pytestmark = pytest.mark.system


def sample(families: Iterator[Metric], name: str, **labels: str) -> float:
    (value,) = (
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    )
    return value


@pytest.mark.parametrize(
    ("accept", "parse"), [("text/plain", plain), ("application/openmetrics-text;version=1.0.0", open_metrics)]
)
def test_a_hub_with_545_behind_is_read_as_545(
    tmp_path: Path, accept: str, parse: Callable[[str], Iterator[Metric]]
) -> None:
    port = free_port()
    with lagging_hub(tmp_path, f'[servers.web]\ntype = "web"\nlisten = "127.0.0.1:{port}"\n'):
        scrape = Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept})
        text = ""

        def keeps_up() -> bool:
            nonlocal text
            with urlopen(scrape, timeout=10 * PATIENCE) as answer:
                assert answer.headers["Content-Type"].startswith(accept.partition(";")[0])
                text = answer.read().decode()
            return sample(parse(text), "hubbub_consumer_finished_total", consumer="fast") == 545

        wait_until(keeps_up, 20, "numbers of now: those of a moment ago may be shown")
        assert sample(parse(text), "hubbub_consumer_backlog_messages", consumer="SlowConsumer") == 545
        assert sample(parse(text), "hubbub_consumer_backlog_messages", consumer="fast") == 0
        assert sample(parse(text), "hubbub_consumer_in_flight_messages", consumer="SlowConsumer") == 1
        assert sample(parse(text), "hubbub_consumer_state", consumer="fast", state="running") == 1
        assert sample(parse(text), "hubbub_hub_received_total") >= 545
        assert sample(parse(text), "hubbub_backend_received_total", backend="bus") >= 545
        assert sample(parse(text), "hubbub_store_ok") == 1
