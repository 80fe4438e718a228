"""What Python's logging gives to the thread that writes."""

from __future__ import annotations

import logging
from pathlib import Path

from hub.logs.formats import TextFormatter
from hub.logs.handler import Handler, is_foreign
from hub.logs.stream import LogStream
from hub.logs.writer import LogWriter


def record(text: str, *values: object, name: str = "hubbub.consumer.c") -> logging.LogRecord:
    return logging.LogRecord(name, logging.INFO, __file__, 1, text, values, None)


def test_a_line_that_can_not_be_told_says_where_it_was_logged(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as file:
        writer = LogWriter(LogStream(TextFormatter(), file.fileno()))
        Handler(writer).handle(record("%d and %d", "one"))
        writer.flush()
        writer.stop()
    assert f"its text does not fit its values: {__file__}, line 1" in (tmp_path / "log").read_text()


def test_a_handler_that_is_closed_goes_on_and_tells(tmp_path: Path) -> None:
    closed: list[bool] = []
    file = (tmp_path / "log").open("wb")
    writer = LogWriter(LogStream(TextFormatter(), file.fileno()))
    handler = Handler(writer, lambda: closed.append(True))
    handler.close()
    handler.handle(record("still here"))
    writer.flush()
    writer.stop()
    file.close()
    assert closed == [True]
    assert (tmp_path / "log").read_text().endswith("still here\n")


def test_the_hubs_own_lines_are_told_from_those_of_libraries() -> None:
    names = ("hubbub", "hubbub.hub.service", "hubbubble", "sqlalchemy")
    assert [is_foreign(record("x", name=name)) for name in names] == [False, False, True, True]
