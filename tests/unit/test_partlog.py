"""The logger of a part."""

from __future__ import annotations

from hub.partlog import part_log
from tests.unit.doubles import RecordingLog


def test_its_name_says_what_it_is_of() -> None:
    assert part_log("consumer", "archive").logger.name == "hubbub.consumer.archive"


def test_its_field_stands_beside_those_of_the_call() -> None:
    _, said = part_log("consumer", "archive").process("text", {"extra": {"action": "bury"}})
    assert said["extra"] == {"consumer": "archive", "action": "bury"}


def test_the_fields_of_the_call_win() -> None:
    _, said = part_log("consumer", "archive").process("text", {"extra": {"consumer": "another"}})
    assert said["extra"] == {"consumer": "another"}


def test_a_call_without_fields_keeps_its_own() -> None:
    log = RecordingLog()
    log.extra = {"consumer": "archive"}
    log.info("text")
    assert log.records[0].consumer == "archive"  # type: ignore[attr-defined]
