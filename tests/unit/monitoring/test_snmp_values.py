"""A status as SNMP objects, beside the MIB file that describes them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hub.monitoring.snmp_agent import Oid, Tree, Value
from hub.monitoring.snmp_values import BASE, CONSUMER_STATES, HUB_STATES, down, objects
from tests.support import ROOT
from tests.unit.monitoring.exported import whole

MIB = (ROOT / "hub" / "templates" / "snmp" / "HUBBUB-MIB.txt").read_text(encoding="ascii")
DEFINITION = re.compile(
    r"^(hub\w+) OBJECT-TYPE\n    SYNTAX      (.*?)\n    (?:UNITS|MAX-ACCESS).*?::= \{ (\w+) (\d+) \}", re.S | re.M
)
KINDS = {
    "HubbubText": "string",
    "HubbubName": "string",
    "INTEGER": "integer",
    "Integer32": "integer",
    "TimeTicks": "timeticks",
    "Counter64": "counter64",
    "Gauge32": "gauge",
}
PLACES = {
    "hubbubHub": (1, 1),
    "hubConsumerEntry": (1, 2, 1),
    "hubBackendEntry": (1, 3, 1),
    "hubbubStore": (1, 4),
    "hubExporterEntry": (1, 5, 1),
}
CONSUMER: dict[str, Any] = {
    "state": "failing to start",
    "backlog": 545,
    "in_flight": 2,
    "delayed": 3,
    "oldest_age": 1.5,
    "received": 2**40,
    "finished": 5,
    "failed": 6,
    "dead": 7,
    "dropped": 8,
    "catch_up_seconds": 12.7,
    "utilisation": 0.496,
    "threads": 4,
}


def status(consumers: dict[str, Any] | None = None, **hub: Any) -> dict[str, Any]:
    known = {
        "version": "1.2",
        "state": "running",
        "uptime": 10.5,
        "received": 9,
        "backlog": 545,
        "resident_bytes": 2048,
    }
    backends = {"bus": {"state": "connecting", "received": 3, "malformed": {"json": 1, "frames": 2}, "gaps": 4}}
    return {"hub": known | hub, "consumers": {"a": CONSUMER} if consumers is None else consumers, "backends": backends}


def found(document: dict[str, Any]) -> dict[Oid, Value]:
    assert all(oid[: len(BASE)] == BASE for oid in objects(document))
    return {oid[len(BASE) :]: value for oid, value in objects(document).items()}


def described() -> dict[Oid, tuple[str, str]]:
    """Name and type of each readable object of the MIB."""
    columns = [match for match in DEFINITION.findall(MIB) if match[2] in PLACES and not match[0].endswith("Index")]
    return {(*PLACES[entry], int(number)): (name, syntax) for name, syntax, entry, number in columns}


def test_the_objects_are_those_of_the_mib_with_its_types() -> None:
    answered = {oid[:-1]: value.kind for oid, value in found(whole()).items()}
    assert answered == {oid: KINDS[re.split(r"\W", syntax)[0]] for oid, (_, syntax) in described().items()}
    assert len(answered) > 70


def test_the_states_are_those_of_the_mib() -> None:
    by_name = dict(described().values())
    for name, states in (("hubState", HUB_STATES), ("hubConsumerState", CONSUMER_STATES)):
        labels = {label: int(number) for label, number in re.findall(r"(\w+)\((\d+)\)", by_name[name])}
        assert labels["other"] == max(states.values())
        assert {label.lower(): number for label, number in labels.items()} == {
            state.replace(" ", ""): number for state, number in states.items()
        }


def test_the_place_is_the_mibs() -> None:
    numbers = re.search(r"::= \{ iso (.*?) \}", MIB, re.S)
    assert numbers is not None
    assert (1, *(int(number) for number in re.findall(r"\d+", numbers.group(1)))) == BASE


def test_a_consumers_row_has_its_numbers() -> None:
    row = {oid[3]: value for oid, value in found(status()).items() if oid[:2] == (1, 2)}
    texts = ["a", "8", "545", "2", "3", "1500", f"{2**40}", "5", "6", "7", "8", "12", "50", "4"]
    assert [row[number].text for number in range(2, 16)] == texts


def test_what_is_not_known_and_what_is_too_large() -> None:
    row = CONSUMER | {"oldest_age": None, "catch_up_seconds": None, "utilisation": None, "state": "new"}
    large = CONSUMER | {"backlog": 2**40, "catch_up_seconds": 1e12}
    answered = found(status({"a": row, "b": large}))
    assert [answered[1, 2, 1, number, 97].text for number in (3, 7, 13, 14)] == ["11", "0", "-1", "-1"]
    assert [answered[1, 2, 1, number, 98].text for number in (4, 13)] == [f"{2**32 - 1}", f"{2**31 - 1}"]
    assert found(status(uptime=2**32 / 100 + 1))[1, 1, 4, 0] == ("timeticks", "100")


def test_the_hub_says_whether_it_is_ready_and_why_not() -> None:
    assert [found(status())[1, 1, number, 0].text for number in (2, 3, 7, 8)] == ["3", "1", "2", "ok"]
    unready = found(status(ready=False, not_ready=["a is stuck", "no\nspace"], state="draining"))
    assert [unready[1, 1, number, 0].text for number in (2, 3, 8)] == ["7", "2", r"a is stuck; no\nspace"]


def test_a_hub_that_is_down_has_a_state_and_a_reason_of_one_line() -> None:
    answered = down("no hub\nat /\u20ac" + "x" * 300)
    assert [oid[len(BASE) :] for oid in sorted(answered)] == [(1, 1, 2, 0), (1, 1, 3, 0), (1, 1, 8, 0)]
    reason = answered[*BASE, 1, 1, 8, 0].text
    assert reason.startswith(r"no hub\nat /\u20acxx")
    assert (len(reason), reason.isprintable()) == (255, True)


def test_a_rows_index_does_not_depend_on_the_others() -> None:
    alone, among = found(status({"m": CONSUMER})), found(status(dict.fromkeys(["z", "m", "a-b.c"], CONSUMER)))
    assert alone.items() <= among.items()
    oids = sorted(oid for oid in among if oid[:4] == (1, 2, 1, 2))
    assert [bytes(oid[4:]).decode() for oid in oids] == ["a-b.c", "m", "z"]
    assert max(len(BASE + oid) for oid in found(status({"n" * 64: CONSUMER}))) < 128


@pytest.mark.parametrize("name", ["", "n" * 65, "na\u00efve"])
def test_a_name_that_can_be_no_index_has_no_row(name: str) -> None:
    assert [oid for oid in found(status({name: CONSUMER})) if oid[:2] == (1, 2)] == []


def test_a_status_of_another_version_is_shown_as_far_as_it_goes() -> None:
    assert len(objects({})) == 8
    assert Tree(objects({"consumers": {"a": {}}, "backends": {"b": {}}})).get((*BASE, 1, 3, 1, 3, 98)) == (
        "string",
        "-",
    )
