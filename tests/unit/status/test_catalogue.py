"""The catalogue of all numbers. A number that is declared is exported everywhere."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated, Any, get_type_hints

import msgspec
import pytest

from docs.generate_metrics import MIB, PLACE, render
from hub.http.openapi import describe_numbers
from hub.monitoring.snmp_mib import render as mib
from hub.status.catalogue import CATALOGUE, SPLIT, StatusSection, described, metrics, section
from hub.status.consumers import ConsumerStatus
from hub.status.metric import Metric
from tests.unit.monitoring import exported
from tests.unit.monitoring.snapshots import consumer, snapshot


class Counting(ConsumerStatus):
    """A consumer's row with one field more: all that a new counter takes."""

    sneezes: Annotated[int, Metric("counter", "{sneeze}", "Times that it sneezed.", column=99)]


NEW = [section("consumers", "consumer", Counting) if part.name == "consumers" else part for part in CATALOGUE]
STATUS = snapshot(slow=consumer(sneezes=7))
OID = "1.3.6.1.4.1.8072.9999.9999.482.1.2.1.99." + ".".join(str(byte) for byte in b"slow")


@pytest.mark.parametrize(
    ("export", "line"),
    [
        (exported.prometheus, 'hubbub_consumer_sneezes_total{consumer="slow"} 7.0'),
        (exported.openmetrics, 'hubbub_consumer_sneezes_total{consumer="slow"} 7.0'),
        (exported.collectd, "derive slow_sneezes derive 7.0"),
        (exported.statsd, "p.consumers.slow.sneezes count 7"),
        (exported.snmp, f".{OID} counter64 7"),
    ],
)
def test_a_new_counter_is_in_every_exporter(export: Any, line: str) -> None:
    assert line in export(STATUS, NEW)
    assert set(export(STATUS, NEW)) > set(export(STATUS))


def test_a_new_counter_is_in_opentelemetry() -> None:
    (line,) = set(exported.opentelemetry(STATUS, NEW)) - set(exported.opentelemetry(STATUS))
    assert line.startswith("hubbub.consumer.sneezes Sum monotonic {sneeze} [('hubbub.consumer', 'slow')] ")
    assert line.endswith(" 7")


def test_a_new_counter_is_in_the_documents() -> None:
    page = render(NEW)
    row = page[page.index("``sneezes``") :].partition("\n   * - ")[0]
    assert "Times that it sneezed." in row
    names = ("hubbub_consumer_sneezes_total", "hubbub.consumer.sneezes", "derive-C_sneezes", "hubConsumerSneezes")
    assert [name for name in names if f"``{name}``" not in row] == []
    syntax = 'SYNTAX      Counter64\n    UNITS       "sneezes"\n'
    assert f"hubConsumerSneezes OBJECT-TYPE\n    {syntax}" in mib(NEW)
    components: Any = {"Counting": msgspec.json.schema(Counting)["$defs"]["Counting"]}
    describe_numbers(components, NEW)
    assert components["Counting"]["properties"]["sneezes"]["description"] == "Times that it sneezed."


def test_the_columns_of_a_section_are_its_own() -> None:
    for part in CATALOGUE:
        columns = [metric.column for metric in part.metrics if metric.column is not None]
        assert len(columns) == len(set(columns)), part.name


def test_every_count_of_the_status_is_a_metric_or_says_something_else() -> None:
    """A number that was forgotten in the catalogue would be in no exporter."""
    other = {"pid", "time", "paused_until", "catch_up_at", "catch_up_alone_seconds", "since"}
    for part in CATALOGUE:
        hints = get_type_hints(part.row, include_extras=True)
        plain = {key for key, hint in hints.items() if hint in (int, float, int | None, float | None)}
        assert plain <= other, part.name


def test_a_help_is_a_sentence_and_a_unit_is_of_ucum() -> None:
    found = [metric for part in CATALOGUE for metric in part.metrics]
    assert len(found) > 70
    assert [metric.key for metric in found if not re.fullmatch(r"[A-Z1].*\.", metric.help)] == []
    assert {metric.unit for metric in found if not metric.unit.startswith("{")} == {"s", "By", "1", ""}


def test_all_numbers_of_a_status_come_metric_by_metric() -> None:
    status = snapshot(a=consumer(), b=consumer(backlog=None))
    found = [(metric.section, metric.key, row, value) for metric, row, value in metrics(status)]
    backlogs = [each for each in found if each[1] == "backlog" and each[0] == "consumers"]
    assert backlogs == [("consumers", "backlog", "a", 545), ("consumers", "backlog", "b", None)]
    assert ("hub", "received", "", 1) in found
    assert ("store", "commits", "", 7) in found
    assert ("exporters", "failed", "collectd", 1) in found


def test_what_is_no_number_reads_as_not_known() -> None:
    status = {**snapshot(), "backends": {"b": {"received": "many", "malformed": 3, "bytes": True}}}
    found = {metric.key: value for metric, _, value in metrics(status) if metric.section == "backends"}
    assert (found["received"], found["malformed"]) == (None, None)
    assert "gaps" not in found


def test_a_status_of_nothing_has_no_numbers() -> None:
    assert list(metrics({})) == []


def test_a_sum_that_is_told_by_cause_is_known() -> None:
    assert ("consumers", "dropped") in SPLIT
    by_key = {metric.key: metric for part in CATALOGUE for metric in part.metrics if part.name == "consumers"}
    assert (by_key["dropped_by"].known_as, by_key["dropped_by"].summed) == ("dropped", False)


def test_the_catalogue_can_be_told_as_json() -> None:
    rows = msgspec.json.decode(msgspec.json.encode(described()), type=list[Metric])
    assert [asdict(row) for row in rows] == [asdict(metric) for part in CATALOGUE for metric in part.metrics]


def test_the_documents_are_what_the_generator_makes() -> None:
    for place, text in ((PLACE, render()), (MIB, mib())):
        assert place.read_text(encoding="utf-8") == text, "run: make docs"


def test_a_section_has_the_words_of_its_states() -> None:
    (state,) = (metric for metric in NEW[2].metrics if metric.kind == "states")
    assert isinstance(NEW[2], StatusSection)
    assert {"running", "stuck", "orphan"} <= set(state.words)
