"""Values of the SNMP objects that ``hub/templates/snmp/HUBBUB-MIB.txt`` describes.

An object's number is the ``column`` of its metric; numbers of texts, and of our own states, are defined here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hub.monitoring.snmp_agent import Oid, Value
from hub.status.catalogue import CATALOGUE, StatusSection
from hub.status.metric import Metric
from hub.text import printable

BASE: Oid = (1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 482)
"""Root of our objects. hubbub has no enterprise number; Net-SNMP's ``netSnmpPlaypen`` (8072.9999.9999) is free."""
LONGEST_TEXT = 255
LONGEST_NAME = 64
MOST_32 = 2**32 - 1
MOST_31 = 2**31 - 1
UNKNOWN = -1
TRUE, FALSE = 1, 2

HUB_STATES = {"down": 1, "starting": 2, "running": 3, "reloading": 4, "stopping": 5, "stopped": 6, "other": 7}
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
    "other": 11,
}
STORE_STATES = {"ok": 1, "full": 2, "behind": 3, "failed": 4, "other": 5}
STATES: Mapping[str, Mapping[str, int]] = {"hub": HUB_STATES, "consumers": CONSUMER_STATES, "store": STORE_STATES}

HUB: Oid = (1, 1)
PLACES: Mapping[str, Oid] = {
    "hub": HUB,
    "consumers": (1, 2, 1),
    "backends": (1, 3, 1),
    "store": (1, 4),
    "exporters": (1, 5, 1),
}
"""OIDs of the sections; ``.COLUMN.0`` follows, or ``.COLUMN.NAME`` in a table."""
FIRST = {"hub": 8, "consumers": 15, "backends": 6}
"""Highest columns of the MIB's first revision: objects up to them exist even if their number is unknown."""
VERSION, REASON = 1, 8
"""Numbers of the hub's texts."""
NAME, BACKEND_STATE, CONDITIONS = 2, 3, 16
"""Numbers of the rows' texts."""


@dataclass(frozen=True)
class Form:
    """Encoding of a metric.

    :ivar syntax: type in the MIB. :ivar kind: snmpd's name of the type.
    :ivar unit: in words, after multiplication by ``factor``. :ivar ending: of the object's name.
    :ivar most: the highest value. :ivar unknown: the value for an unknown number.
    """

    syntax: str
    kind: str
    unit: str
    factor: float = 1
    ending: str = ""
    most: int = MOST_32
    unknown: int = 0


PERCENT = Form("Integer32 (-1..100)", "integer", "percent", 100, "Percent", 100, UNKNOWN)
SECONDS = Form("Integer32 (-1..2147483647)", "integer", "seconds", 1, "Seconds", MOST_31, UNKNOWN)
TICKS = Form("TimeTicks", "timeticks", "", 100)
FLAG = Form("INTEGER { true(1), false(2) }", "integer", "", 1, "", TRUE)
SPECIAL = {("hub", "uptime"): TICKS, ("consumers", "catch_up_seconds"): SECONDS}
"""Forms that can't be derived from kind and unit."""


@cache
def form_of(metric: Metric) -> Form:
    """Form of a metric, by kind and unit. A gauge has 32 bits, so times are in milliseconds and sizes in kibibytes."""
    if special := SPECIAL.get((metric.section, metric.key)):
        return special
    if metric.kind == "flag":
        return FLAG
    if metric.unit == "1":
        return PERCENT
    word = metric.unit.strip("{}")
    plural = f"{word}es" if word.endswith("ch") else f"{word}s"
    if metric.kind == "counter":
        return Form("Counter64", "counter64", "bytes" if metric.unit == "By" else plural, most=2**64 - 1)
    if metric.unit == "s":
        return Form("Gauge32", "gauge", "milliseconds", 1000, "Ms")
    if metric.unit == "By":
        return Form("Gauge32", "gauge", "kibibytes", 1 / 1024)
    return Form("Gauge32", "gauge", plural)


def objects(
    status: Mapping[str, Any], base: Oid = BASE, catalogue: Sequence[StatusSection] = CATALOGUE
) -> dict[Oid, Value]:
    """Objects of a hub that answered."""
    found: dict[Oid, Value] = {}
    for section in catalogue:
        place = PLACES.get(section.name)
        for name, row in section.rows(status).items() if place else ():
            # The index of a row is its name's characters, so it does not change when other rows are added or removed.
            index = tuple(name.encode()) if section.label else (0,)
            if not section.label or (name.isascii() and 0 < len(name) <= LONGEST_NAME):
                for number, value in _columns(section, name, row):
                    found[*base, *(place or ()), number, *index] = value
    return found


def down(reason: str, base: Oid = BASE) -> dict[Oid, Value]:
    """Objects of a hub that did not answer: its state and the reason. No numbers: a count of 0 would look like a
    restart."""
    found = {2: _integer(HUB_STATES["down"]), 3: _integer(FALSE), REASON: _text(reason)}
    return {(*base, *HUB, number, 0): value for number, value in found.items()}


def _columns(section: StatusSection, name: str, row: Mapping[str, Any]) -> Iterator[tuple[int, Value]]:
    yield from _texts(section.name, name, row)
    for metric in section.metrics:
        if metric.column is None or (metric.key not in row and metric.column > FIRST.get(section.name, 0)):
            continue
        value = row.get(metric.key)
        if metric.kind == "states":
            states = STATES[section.name]
            yield metric.column, _integer(states.get(str(value), states["other"]))
        elif metric.key == "ready":
            yield metric.column, _integer(TRUE if _ready(row) else FALSE)
        else:
            yield metric.column, _number(form_of(metric), value)


def _texts(section: str, name: str, row: Mapping[str, Any]) -> Iterator[tuple[int, Value]]:
    if section == "hub":
        reasons = "; ".join(str(reason) for reason in row.get("not_ready") or ())
        yield VERSION, _text(row.get("version"))
        yield REASON, _text("ok" if _ready(row) else reasons)
    elif section != "store":
        yield NAME, _text(name)
    if section == "backends":
        yield BACKEND_STATE, _text(row.get("state"))
    if section == "consumers":
        yield CONDITIONS, _text(", ".join(str(one.get("word")) for one in row.get("conditions") or ()))


def _ready(hub: Mapping[str, Any]) -> bool:
    """True if the hub is ready; hubs of an earlier version do not report it."""
    return bool(hub.get("ready", hub.get("state") == "running"))


def _number(form: Form, value: Any) -> Value:
    """Value of a number. A Gauge32 stays at its highest value if the number exceeds it, as SMIv2 requires."""
    if isinstance(value, Mapping):
        value = sum(value.values())
    if form is FLAG:
        return _integer(TRUE if value else FALSE)
    if not isinstance(value, (int, float)):
        return Value(form.kind, str(form.unknown))
    number = round(value * 100) if form is PERCENT else int(value * form.factor)
    return Value(form.kind, str(number % (MOST_32 + 1) if form is TICKS else min(number, form.most)))


def _integer(number: int) -> Value:
    return Value("integer", str(number))


def _text(text: object) -> Value:
    """Value of a text: ASCII, on one line, never empty: snmpd reads out of bounds on an empty line."""
    plain = printable(str(text or "-")).encode("ascii", "backslashreplace").decode()
    return Value("string", plain[:LONGEST_TEXT])
