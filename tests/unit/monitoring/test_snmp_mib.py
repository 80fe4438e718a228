"""Revisions of the MIB: a manager's copy of it is told from ours by them."""

from __future__ import annotations

from datetime import datetime

from hub.monitoring.snmp_mib import REVISIONS, objects_of
from hub.monitoring.snmp_values import FIRST


def test_every_object_came_with_one_revision() -> None:
    """A number with a column wants a revision: a manager with the MIB of before does not know the object."""
    told = sorted(
        (section, number)
        for revision in REVISIONS
        for section, numbers in revision.columns.items()
        for number in numbers
    )
    there = sorted((section, each.number) for section, objects in objects_of().items() for each in objects)
    assert told == there, "REVISIONS of monitoring/snmp_mib.py names each object of the catalogue once"


def test_revisions_are_dated_the_latest_first() -> None:
    dates = [datetime.strptime(revision.date, "%Y%m%d%H%MZ") for revision in REVISIONS]
    assert dates == sorted(set(dates), reverse=True)


def test_the_groups_of_the_first_revision_have_its_objects() -> None:
    first = REVISIONS[-1].columns
    assert {section: max(numbers) for section, numbers in first.items()} == dict(FIRST)
