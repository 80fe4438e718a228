"""A hub with a known number of messages behind a consumer that does not finish any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import free_port, wait_until
from tests.system.hubs import RunningHub
from tests.system.lagging import BEHIND, feed

CONFIGURATION = """
[hub]
stop_timeout = "100ms"
[backends.bus]
type = "zeromq"
bind = ["tcp://127.0.0.1:{port}"]

[consumers.slow]
type = "slow"
delay = "1h"
"""


@contextmanager
def hub_behind(directory: Path, exporter: str, name: str) -> Iterator[RunningHub]:
    """When it is entered, the exporter has exported once without any, and then the messages have come.

    :param exporter: a table of the configuration, called ``name``.
    """
    with RunningHub(directory, CONFIGURATION.format(port=free_port()) + exporter) as hub:
        wait_until(lambda: hub.status()["exporters"][name]["exported"] > 0, 20, "a first export")
        feed(hub)
        hub.wait_for("slow", "received", BEHIND)
        assert hub.consumer("slow")["backlog"] == BEHIND
        yield hub
