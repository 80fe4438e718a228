"""The hub's numbers as carbon reads them. The system tests hold them against a real one."""

from __future__ import annotations

import re

import pytest

from hub.monitoring.datagrams import LIMIT
from hub.monitoring.figures import Figure
from hub.monitoring.graphite import Graphite, line
from tests.unit.monitoring.receivers import accepted, context, listening, received, udp_socket
from tests.unit.monitoring.snapshots import consumer, snapshot

LINE = r"[A-Za-z0-9_.]+ -?\d+(\.\d+)? 1700000000"


def test_a_line_is_a_path_a_value_and_a_time() -> None:
    assert (
        line(Figure(("consumers", "c", "backlog"), "gauge", 545), "hubbub.h", 17)
        == b"hubbub.h.consumers.c.backlog 545 17\n"
    )
    assert line(Figure(("a",), "gauge", -0.5), "p", 17) == b"p.a -0.5 17\n"


def test_by_udp_the_lines_come_whole_in_bounded_datagrams() -> None:
    with udp_socket() as receiver:
        exporter = Graphite(context(Graphite, port=receiver.getsockname()[1], prefix="hubbub.h"))
        exporter.export(snapshot(**{f"c{number}": consumer() for number in range(20)}))
        datagrams = received(receiver)
        exporter.close()
    assert len(datagrams) > 10
    assert max(map(len, datagrams)) <= LIMIT
    assert all(datagram.endswith(b"\n") for datagram in datagrams)
    sent = b"".join(datagrams).decode().splitlines()
    assert [text for text in sent if not re.fullmatch(LINE, text)] == []
    assert "hubbub.h.consumers.c19.backlog 545 1700000000" in sent
    assert "hubbub.h.consumers.c19.received 600 1700000000" in sent


def test_by_tcp_one_connection_is_kept() -> None:
    with listening() as server:
        port = server.getsockname()[1]
        exporter = Graphite(context(Graphite, port=port, prefix="p", protocol="tcp"))
        exporter.export(snapshot())
        exporter.export(snapshot())
        exporter.close()
        with accepted(server) as connection, connection.makefile("rb") as text:
            assert text.read().count(b"p.consumers.slow.backlog 545 1700000000\n") == 2
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()
