"""The hub's numbers as SNMP objects: what ``hub/templates/snmp/HUBBUB-MIB.txt`` describes, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.monitoring.snmp_agent import Oid, Value
from hub.text import printable

BASE: Oid = (1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 482)
"""hubbub has no enterprise number. Net-SNMP leaves ``netSnmpPlaypen`` (8072.9999.9999) to everybody's own use."""
HUB, CONSUMERS, BACKENDS = (1, 1), (1, 2, 1), (1, 3, 1)
LONGEST_TEXT = 255
LONGEST_NAME = 64
MOST_32 = 2**32 - 1
MOST_31 = 2**31 - 1
UNKNOWN = -1

HUB_STATES = {"down": 1, "starting": 2, "running": 3, "reloading": 4, "stopping": 5, "stopped": 6}
OTHER_HUB_STATE = 7
CONSUMER_STATES = {
    "running": 1,
    "starting": 2,
    "full": 3,
    "paused": 4,
    "draining": 5,
    "drained": 6,
    "stuck": 7,
    "failing to start": 8,
    "stopped": 9,
    "orphan": 10,
}
OTHER_CONSUMER_STATE = 11
TRUE, FALSE = 1, 2

Column = tuple[int, Value]


def objects(status: Mapping[str, Any], base: Oid = BASE) -> dict[Oid, Value]:
    """All there is to say of a hub that answered."""
    consumers = _table(CONSUMERS, status.get("consumers") or {}, _consumer)
    backends = _table(BACKENDS, status.get("backends") or {}, _backend)
    return {base + oid: value for oid, value in (*_hub(status.get("hub") or {}), *consumers, *backends)}


def down(reason: str, base: Oid = BASE) -> dict[Oid, Value]:
    """Of a hub that did not answer: its state, and why. No numbers: a count of 0 would look like a restart."""
    found = {2: _integer(HUB_STATES["down"]), 3: _integer(FALSE), 8: _text(reason)}
    return {(*base, *HUB, number, 0): value for number, value in found.items()}


def _hub(hub: Mapping[str, Any]) -> Iterator[tuple[Oid, Value]]:
    state = str(hub.get("state"))
    ready = hub.get("ready", state == "running")
    reasons = "; ".join(str(reason) for reason in hub.get("not_ready") or ())
    columns = {
        1: _text(hub.get("version")),
        2: _integer(HUB_STATES.get(state, OTHER_HUB_STATE)),
        3: _integer(TRUE if ready else FALSE),
        4: Value("timeticks", str(int((hub.get("uptime") or 0) * 100) % (MOST_32 + 1))),
        5: _counter(hub.get("received")),
        6: _gauge(hub.get("backlog")),
        7: _gauge((hub.get("resident_bytes") or 0) // 1024),
        8: _text("ok" if ready else reasons),
    }
    for number, value in columns.items():
        yield (*HUB, number, 0), value


def _table(entry: Oid, rows: Mapping[str, Any], columns: Any) -> Iterator[tuple[Oid, Value]]:
    """A row's index is its name's characters, which stays what it is when other rows come and go."""
    for name, row in rows.items():
        if name.isascii() and 0 < len(name) <= LONGEST_NAME:
            found: Iterable[Column] = columns(name, row)
            for number, value in found:
                yield (*entry, number, *name.encode()), value


def _consumer(name: str, row: Mapping[str, Any]) -> Iterator[Column]:
    utilisation = row.get("utilisation")
    yield 2, _text(name)
    yield 3, _integer(CONSUMER_STATES.get(str(row.get("state")), OTHER_CONSUMER_STATE))
    yield 4, _gauge(row.get("backlog"))
    yield 5, _gauge(row.get("in_flight"))
    yield 6, _gauge(row.get("delayed"))
    yield 7, _gauge((row.get("oldest_age") or 0) * 1000)
    yield 8, _counter(row.get("received"))
    yield 9, _counter(row.get("finished"))
    yield 10, _counter(row.get("failed"))
    yield 11, _counter(row.get("dead"))
    yield 12, _counter(row.get("dropped"))
    yield 13, _integer(row.get("catch_up_seconds"))
    yield 14, _integer(None if utilisation is None else round(utilisation * 100))
    yield 15, _gauge(row.get("threads"))


def _backend(name: str, row: Mapping[str, Any]) -> Iterator[Column]:
    yield 2, _text(name)
    yield 3, _text(row.get("state"))
    yield 4, _counter(row.get("received"))
    yield 5, _counter(sum((row.get("malformed") or {}).values()))
    yield 6, _counter(row.get("gaps"))


def _gauge(number: float | None) -> Value:
    """A Gauge32 stays at its highest value when there is more to tell; so says SMIv2."""
    return Value("gauge", str(min(int(number or 0), MOST_32)))


def _counter(number: int | None) -> Value:
    return Value("counter64", str(number or 0))


def _integer(number: float | None) -> Value:
    return Value("integer", str(UNKNOWN if number is None else min(int(number), MOST_31)))


def _text(text: object) -> Value:
    """ASCII, on one line. Never empty: snmpd reads what lies before an empty line's first character."""
    plain = printable(str(text or "-")).encode("ascii", "backslashreplace").decode()
    return Value("string", plain[:LONGEST_TEXT])
