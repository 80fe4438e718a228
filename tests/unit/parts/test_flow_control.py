"""Who holds the backends back, and who lets them go on."""

from __future__ import annotations

from typing import Any

import pytest

from hub.parts.flow_control import FlowControl
from tests.unit.doubles import RecordingBackend


class Lossy(RecordingBackend):
    holds_back = False


def flow_of(**classes: type[RecordingBackend]) -> tuple[FlowControl, Any]:
    flow = FlowControl()
    flow.backends.update({name: cls(None) for name, cls in classes.items()})  # type: ignore[arg-type]
    return flow, flow.backends


PAUSED, BOTH = [("pause", None)], [("pause", None), ("resume", None)]


def test_holding_back_pauses_all_once_and_releasing_resumes_them() -> None:
    flow, backends = flow_of(a=RecordingBackend, b=RecordingBackend)
    flow.release("queues")
    flow.hold("queues", "a queue is full")
    flow.hold("queues", "a queue is full")
    flow.release("queues")
    flow.release("queues")
    assert [backend.calls for backend in backends.values()] == [BOTH] * 2


def test_each_source_takes_back_its_own_reason_only_and_the_newest_is_told() -> None:
    flow, backends = flow_of(a=RecordingBackend)
    full, room = flow.source("queues")
    full("a queue is full")
    flow.hold("disk", "the disk is full")
    assert flow.held_back_by == "the disk is full"
    flow.release("disk")
    assert (flow.held_back_by, backends["a"].calls) == ("a queue is full", PAUSED)
    room()
    assert (flow.held_back_by, flow.held_back, backends["a"].calls) == ("", False, BOTH)


def test_another_reason_of_the_same_source_takes_the_place_of_the_first(caplog: pytest.LogCaptureFixture) -> None:
    flow, backends = flow_of(a=RecordingBackend)
    for why in ("the disk is full", "the disk is full", "the disk is too slow"):
        flow.hold("disk", why)
    assert [record.getMessage() for record in caplog.records] == [
        "the disk is full: the buses are held back",
        "the disk is too slow: the buses are held back",
    ]
    assert flow.held_back_by == "the disk is too slow"
    flow.release("disk")
    assert backends["a"].calls == BOTH


def test_nothing_is_lost_by_a_pause_only_if_every_bus_keeps_what_is_not_read() -> None:
    assert flow_of(a=RecordingBackend, b=RecordingBackend)[0].holds_back
    assert not flow_of(a=RecordingBackend, b=Lossy)[0].holds_back


def test_a_drain_pauses_all_and_its_end_resumes_them() -> None:
    flow, backends = flow_of(a=RecordingBackend)
    flow.drain(True)
    flow.drain(True)
    flow.drain(False)
    flow.drain(False)
    assert backends["a"].calls == BOTH


def test_a_full_queue_in_a_drain_changes_nothing_and_the_last_of_the_two_reasons_lets_go() -> None:
    flow, backends = flow_of(a=RecordingBackend)
    flow.drain(True)
    flow.hold("queues", "a queue is full")
    flow.release("queues")
    assert backends["a"].calls == PAUSED
    flow.hold("queues", "a queue is full")
    flow.drain(False)
    assert backends["a"].calls == PAUSED
    flow.release("queues")
    assert backends["a"].calls == BOTH
