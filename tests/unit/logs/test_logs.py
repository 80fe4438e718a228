"""Where the log goes, and the levels of its parts."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Iterator

import pytest
from twisted.logger import globalLogBeginner

from hub.logs import logs
from hub.logs.collapse import REPEATS
from hub.logs.journal import JournalHandler
from hub.partlog import part_log


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    logs.set_levels("warning", {})
    root.handlers[:] = handlers
    root.setLevel(level)


def level_of(part: str) -> str:
    return logging.getLevelName(logging.getLogger(logs.logger_of(part)).getEffectiveLevel()).lower()


def test_a_part_is_called_as_its_lines_call_it() -> None:
    assert logs.logger_of("backend.bus") == part_log("backend", "bus").logger.name
    assert logs.logger_of("consumer") == "hubbub.consumer"
    assert logs.logger_of("sqlalchemy.engine") == "sqlalchemy.engine"


def test_each_part_has_the_level_that_names_it_most_exactly() -> None:
    logs.set_levels("info", {"consumer": "error", "consumer.archive": "debug", "sqlalchemy": "warning"})
    parts = ("consumer.archive", "consumer.other", "backend.bus", "sqlalchemy.engine")
    assert [level_of(part) for part in parts] == ["debug", "error", "info", "warning"]


def test_a_level_that_is_no_longer_set_is_the_default_again() -> None:
    logs.set_levels("info", {"backend.bus": "debug", "twisted": "debug"})
    logs.set_levels("error", {})
    assert [level_of(part) for part in ("backend.bus", "hub.store", "twisted")] == ["error", "error", "warning"]


def test_the_default_is_the_level_of_all_others() -> None:
    logs.set_levels("debug", {})
    assert level_of("hub.service") == "debug"


def configured(monkeypatch: pytest.MonkeyPatch, **options: str) -> io.StringIO:
    """What goes to stderr."""
    shown = io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(globalLogBeginner, "beginLoggingTo", lambda *_, **__: None)
    logs.configure("info", "stderr", **options)  # type: ignore[arg-type]
    return shown


def test_lines_are_for_people_unless_it_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = configured(monkeypatch)
    part_log("consumer", "archive").info("hello", extra={"action": "greet"})
    assert shown.getvalue()[9:] == "info    consumer.archive: hello  action=greet\n"


def test_lines_may_be_json(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = configured(monkeypatch, form="json")
    part_log("consumer", "archive").info("hello\nyou", extra={"action": "greet"})
    assert json.loads(shown.getvalue())["message"] == "hello\nyou"


def test_what_was_not_shown_is_told_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = configured(monkeypatch)
    for number in range(REPEATS + 7):
        part_log("consumer", "archive").error("failed %d", number)
    logs.flush()
    assert len(shown.getvalue().splitlines()) == REPEATS
    logs.flush(final=True)
    assert "and 7 more like it in 1 s, the last: failed 11" in shown.getvalue().splitlines()[-1]


def test_the_journal_is_used_where_stderr_is_connected_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    status = os.fstat(2)
    configured(monkeypatch, form="json")
    for stream, kind in ((f"{status.st_dev}:{status.st_ino}", JournalHandler), ("1:2", logging.StreamHandler)):
        logs.configure("info", "auto", environ={"JOURNAL_STREAM": stream})
        assert type(logging.getLogger().handlers[0]) is kind


def test_what_twisted_says_of_descriptors_is_left_out(capfd: pytest.CaptureFixture[str]) -> None:
    """The hub says it itself, in a line."""
    observers: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(globalLogBeginner, "beginLoggingTo", lambda given, **_: observers.extend(given))
        logs.configure("info", "stderr", environ={})
    twisted = logging.getLogger("twisted")
    twisted.critical("Could not reserve EMFILE recovery file descriptor.")
    twisted.critical("something else")
    shown = capfd.readouterr().err
    assert "something else" in shown
    assert "EMFILE" not in shown
