"""What the UDP monitor sends, as a real socket receives it."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import parse_qs

from hub.monitoring.datagrams import LIMIT
from hub.monitoring.monitor_datagrams import Sender, json_datagrams, statusnet_datagrams
from hub.monitoring.udp_monitor import UdpMonitor
from tests.unit.monitoring.receivers import context, received, udp_socket
from tests.unit.monitoring.snapshots import consumer, snapshot

SENDER = Sender("h" * 63, 4_000_000, 1_700_000_000.123456)


def workers(count: int, **changes: Any) -> list[dict[str, Any]]:
    row = {"state": "busy", "topic": "a.secret", "message_id": "m", "seconds": 1.25, **changes}
    return [{"name": f"hubbub-{'c' * 64}-{number}", **row} for number in range(count)]


def decoded(document: dict[str, Any], limit: int = LIMIT) -> list[dict[str, Any]]:
    return [json.loads(datagram) for datagram in json_datagrams(SENDER, document, limit)]


def test_the_hub_and_each_consumer_have_a_datagram_with_counters_and_threads() -> None:
    with udp_socket() as receiver:
        monitor = UdpMonitor(context(UdpMonitor, port=receiver.getsockname()[1], hostname="testhost"))
        monitor.export(snapshot())
        hub, slow = map(json.loads, received(receiver))
        monitor.close()
    assert {key: hub[key] for key in ("kind", "host", "pid")} == {"kind": "hub", "host": "testhost", "pid": os.getpid()}
    assert {key: slow[key] for key in ("kind", "consumer", "state")} == {
        "kind": "consumer",
        "consumer": "slow",
        "state": "running",
    }
    assert (slow["backlog"], slow["received"], slow["catch_up_seconds"]) == (545, 600, 54.5)
    assert [(worker["state"], worker["seconds"]) for worker in slow["workers"]] == [("busy", None), ("idle", None)]


def test_every_datagram_is_bounded_and_no_thread_is_left_out() -> None:
    large = dict.fromkeys(("received", "finished", "failed", "retried", "dead", "dropped", "backlog"), 10**18)
    row = consumer(workers=workers(200), state="failing to start", **large)
    datagrams = list(json_datagrams(SENDER, snapshot(**{"c" * 64: row})))
    assert max(map(len, datagrams)) <= LIMIT
    assert all(datagram.endswith(b"\n") and datagram.count(b"\n") == 1 for datagram in datagrams)
    _, first, *more = map(json.loads, datagrams)
    assert first["kind"] == "consumer"
    assert first["workers"]
    assert {(datagram["kind"], datagram["consumer"]) for datagram in more} == {("workers", "c" * 64)}
    names = [worker["name"] for datagram in (first, *more) for worker in datagram["workers"]]
    assert names == [worker["name"] for worker in row["workers"]]


def test_nothing_of_a_message_is_sent_and_what_is_not_known_is_null() -> None:
    row = consumer(workers=workers(1), last_error={"text": "a.secret"}, oldest_age=None, utilisation=float("nan"))
    _, sent = decoded(snapshot(c=row))
    assert "secret" not in str(sent)
    assert (sent["oldest_age"], sent["utilisation"], sent["rate_in"]) == (None, None, None)
    assert sent["workers"] == [{"name": workers(1)[0]["name"], "state": "busy", "seconds": 1.25}]


def test_a_snapshot_without_threads_is_sent_too() -> None:
    _, sent = decoded(snapshot(c=consumer(workers=None)))
    assert sent["workers"] == []


def test_a_threads_state_is_told_as_statusnet_told_it() -> None:
    row = consumer(
        workers=[{"name": "hubbub-c-1", "state": "busy", "seconds": 2.5}, {"name": "hubbub-c-2", "state": "idle"}]
    )
    busy, idle, *_ = statusnet_datagrams(Sender("h", 7, 100.0), snapshot(c=row), {})
    assert busy == b"thread_id=h.7.hubbub-c-1&state=queue&substate=c&ts=97.5"
    assert idle == b"thread_id=h.7.hubbub-c-2&state=idle&substate=&ts=100.0"


def test_one_more_is_told_as_statusnet_told_it_and_several_with_their_number() -> None:
    grown = {("c d", "finished"): 1, ("c d", "received"): 42, ("c d", "dead"): 0}
    *counters, backlog, _, _ = statusnet_datagrams(
        Sender("h", 7, 1.0), snapshot(**{"c d": consumer(workers=[])}), grown
    )
    assert counters == [
        b"counter=enqueued&owners%5B0%5D=queue%3Ac+d&owners%5B1%5D=site%3Ah&count=42",
        b"counter=handled&owners%5B0%5D=queue%3Ac+d&owners%5B1%5D=site%3Ah",
    ]
    assert parse_qs(backlog.decode()) == {
        "gauge": ["backlog"],
        "owners[0]": ["queue:c d"],
        "owners[1]": ["site:h"],
        "value": ["545"],
    }


def test_in_statusnets_format_counters_are_what_they_grew_by() -> None:
    with udp_socket() as receiver:
        port = receiver.getsockname()[1]
        monitor = UdpMonitor(context(UdpMonitor, port=port, hostname="h", format="statusnet"))
        monitor.export(snapshot(c=consumer(received=600)))
        assert [datagram for datagram in received(receiver) if datagram.startswith(b"counter=")] == []
        monitor.export(snapshot(c=consumer(received=603)))
        (grown,) = [datagram for datagram in received(receiver) if datagram.startswith(b"counter=")]
        monitor.close()
    assert parse_qs(grown.decode()) == {
        "counter": ["enqueued"],
        "owners[0]": ["queue:c"],
        "owners[1]": ["site:h"],
        "count": ["3"],
    }
