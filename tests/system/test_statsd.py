"""A real statsd, collectd's, gets the hub's numbers."""

from __future__ import annotations

import csv
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import free_port, wait_until
from tests.system.behind import hub_behind
from tests.system.collectd import Collectd
from tests.system.lagging import BEHIND

pytestmark = pytest.mark.system

CONSUMER = "hubbub.test.consumers.slow"


def receiver(port: int, directory: Path) -> str:
    """The csv plugin keeps counts as they are; ``collectdctl`` would show a rate."""
    return f"""
        LoadPlugin statsd
        <Plugin statsd>
            Host "127.0.0.1"
            Port "{port}"
        </Plugin>
        LoadPlugin csv
        <Plugin csv>
            DataDir "{directory}"
            StoreRates false
        </Plugin>
    """


def exporter(port: int) -> str:
    return f"""
        [exporters.statsd]
        type = "statsd"
        port = {port}
        prefix = "hubbub.test"
        interval = "200ms"
    """


def counted(directory: Path, name: str) -> int | None:
    """The last value of a count."""
    files = sorted(directory.glob(f"testhost/statsd/derive-{name}-*"))
    rows = list(csv.reader(files[-1].read_text().splitlines())) if files else []
    return int(rows[-1][1]) if len(rows) > 1 else None


def test_a_statsd_gets_what_is_behind_and_counts_what_was_received(tmp_path: Path) -> None:
    port, kept = free_port(socket.SOCK_DGRAM), tmp_path / "csv"
    with (
        Collectd(tmp_path / "collectd", extra=receiver(port, kept)) as collectd,
        hub_behind(tmp_path, exporter(port), "statsd") as hub,
    ):
        gauge = f"statsd/gauge-{CONSUMER}.backlog"
        wait_until(
            lambda: collectd.value(gauge) == BEHIND, 20, lambda: f"the backlog; {collectd.values()} {collectd.log}"
        )
        wait_until(lambda: counted(kept, f"{CONSUMER}.received") == BEHIND, 20, "the count of the received")
        wait_until(lambda: counted(kept, f"{CONSUMER}.finished") == 0, 20, "the count of the finished")
        in_flight = hub.consumer("slow")["in_flight"]
        wait_until(lambda: collectd.value(f"statsd/gauge-{CONSUMER}.in_flight") == in_flight, 20, "what is in flight")
        assert "Unable to parse" not in collectd.log  # rrdtool's writers log "failed to parse" too


def test_a_statsd_that_is_not_there_is_counted_and_one_that_comes_back_gets_the_numbers(tmp_path: Path) -> None:
    port, kept = free_port(socket.SOCK_DGRAM), tmp_path / "csv"
    with ExitStack() as first:
        first.enter_context(Collectd(tmp_path / "first", extra=receiver(port, kept)))
        with hub_behind(tmp_path, exporter(port), "statsd") as hub:
            first.close()
            wait_until(lambda: hub.status()["exporters"]["statsd"]["failed"] > 0, 20, "a failed export")
            with Collectd(tmp_path / "second", extra=receiver(port, kept)) as second:
                gauge = f"statsd/gauge-{CONSUMER}.backlog"
                wait_until(lambda: second.value(gauge) == BEHIND, 20, "the backlog, again")
