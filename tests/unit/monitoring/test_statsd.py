"""The hub's numbers as statsd reads them. The system tests hold them against a real one."""

from __future__ import annotations

import re
import socket
from typing import Any

import pytest
from pydantic import ValidationError

from hub.monitoring.datagrams import LIMIT
from hub.monitoring.figures import LONGEST_PREFIX, Figure
from hub.monitoring.statsd import Statsd, StatsdConfig, lines
from tests.support import free_port, wait_until
from tests.unit.monitoring.receivers import context, received, udp_socket
from tests.unit.monitoring.snapshots import consumer, snapshot

LINE = r"[A-Za-z0-9_.-]+:-?\d+(\.\d+)?\|[cg]"


def values(datagrams: list[bytes]) -> dict[str, str]:
    lines = b"\n".join(datagrams).decode().split("\n")
    return {name: value for name, _, value in (line.partition(":") for line in lines)}


def exported(exporter: Statsd, receiver: socket.socket, document: dict[str, Any]) -> dict[str, str]:
    exporter.export(document)
    return values(received(receiver))


def made(port: int, prefix: str = "hubbub") -> Statsd:
    return Statsd(context(Statsd, port=port, prefix=prefix))


def test_gauges_come_at_once_and_counts_as_what_they_grew_by() -> None:
    with udp_socket() as receiver:
        exporter = made(receiver.getsockname()[1])
        first = exported(exporter, receiver, snapshot(c=consumer(received=600)))
        assert first["hubbub.consumers.c.backlog"] == "545|g"
        assert first["hubbub.consumers.c.oldest_age"] == "12.5|g"
        assert [value for value in first.values() if value.endswith("c")] == []
        second = exported(exporter, receiver, snapshot(c=consumer(received=642)))
        assert second["hubbub.consumers.c.received"] == "42|c"
        assert second["hubbub.consumers.c.finished"] == "0|c"
        exporter.close()


def test_a_count_that_went_down_begins_anew() -> None:
    with udp_socket() as receiver:
        exporter = made(receiver.getsockname()[1])
        exported(exporter, receiver, snapshot(c=consumer(received=600)))
        assert "hubbub.consumers.c.received" not in exported(exporter, receiver, snapshot(c=consumer(received=5)))
        third = exported(exporter, receiver, snapshot(c=consumer(received=7)))
        assert third["hubbub.consumers.c.received"] == "2|c"
        exporter.close()


def test_datagrams_are_bounded_and_of_whole_lines() -> None:
    names = {f"consumer{n}-{'x' * 50}": consumer() for n in range(40)}
    with udp_socket() as receiver:
        exporter = made(receiver.getsockname()[1], "p" * LONGEST_PREFIX)
        exporter.export(snapshot(**names))
        datagrams = received(receiver)
        exporter.close()
    assert len(datagrams) > 40
    assert max(map(len, datagrams)) <= LIMIT
    assert all(re.fullmatch(LINE, line) for datagram in datagrams for line in datagram.decode().split("\n"))


def test_a_negative_gauge_is_not_taken_for_a_change() -> None:
    part = list(lines([Figure(("a",), "gauge", -2.5), Figure(("b",), "gauge", 2)], "p", {}))
    assert part == [b"p.a:0|g\np.a:-2.5|g\n", b"p.b:2|g\n"]


def test_what_grew_while_statsd_was_away_is_not_lost() -> None:
    port = free_port(socket.SOCK_DGRAM)
    exporter = made(port)
    with udp_socket(port) as receiver:
        exported(exporter, receiver, snapshot(c=consumer(received=600)))

    def fails() -> bool:
        try:
            exporter.export(snapshot(c=consumer(received=610)))
        except OSError:
            return True
        return False

    wait_until(fails)
    with udp_socket(port) as receiver:
        assert exported(exporter, receiver, snapshot(c=consumer(received=620)))["hubbub.consumers.c.received"] == "20|c"
    exporter.close()


@pytest.mark.parametrize("prefix", ["", ".", "a.", "a b", "a:b", "a\nb", "a|b", "x" * (LONGEST_PREFIX + 1)])
def test_a_prefix_that_would_break_a_line_is_refused(prefix: str) -> None:
    with pytest.raises(ValidationError):
        StatsdConfig(prefix=prefix)
