"""What a log line looks like."""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.logs.formats import JsonFormatter, TextFormatter, formatter_of

EVIL = "x\n12:00:00 error hub: forged\x1b[31m\r\x85\u2028\x00\x7f\x9b\ud800\u202e"


def record(text: str, *values: object, name: str = "hubbub.consumer.c", **fields: object) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.ERROR, __file__, 1, text, values, None)
    made.__dict__.update(fields)
    return made


def failed() -> logging.LogRecord:
    made = record("failed")
    try:
        raise KeyError("lost\nfound")
    except KeyError:
        made.exc_info = sys.exc_info()
    return made


def as_json(made: logging.LogRecord) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(JsonFormatter().format(made))
    return found


# -- for people


def test_a_line_names_its_level_and_its_part() -> None:
    assert TextFormatter().format(record("hello %s", "you"))[20:] == "error   consumer.c: hello you"


def test_a_line_has_its_date_for_a_file_is_read_on_another_day() -> None:
    made = record("hello")
    made.created = 86400.0 * 365
    assert TextFormatter().format(made)[:11] == time.strftime("%Y-%m-%d ", time.localtime(made.created))


def test_of_the_hubs_own_parts_only_the_name_is_shown() -> None:
    assert TextFormatter().format(record("ready", name="hubbub.hub.service"))[20:] == "error   service: ready"


def test_a_line_ends_with_what_it_does_not_say_already() -> None:
    made = record("message %r of %s", "7", "a.b", action="retry", topic="a.b", message_id="7", attempt=2, consumer="c")
    assert TextFormatter().format(made)[20:] == "error   consumer.c: message '7' of a.b  action=retry attempt=2"
    made = record("no answer", action="retry", topic="a b", message_id="7=\n")
    assert TextFormatter().format(made).endswith('  action=retry topic="a b" message_id="7=\\\\n"')


def test_a_message_can_forge_neither_a_line_nor_a_colour() -> None:
    shown = TextFormatter().format(record("%s", EVIL))
    assert not set(shown) & set("\x1b\r\x85\u2028\x00\x7f\x9b\ud800\u202e")
    assert all(line.startswith("    ") for line in shown.split("\n")[1:])


def test_a_traceback_stands_below_its_line() -> None:
    first, heading, *rest = TextFormatter().format(failed()).split("\n")
    assert (first.partition(": ")[2], heading) == ("failed", "    Traceback (most recent call last):")
    assert rest[-1].startswith("    KeyError: ")
    assert all(line.startswith("    ") for line in rest)


# -- for programs


def test_json_has_the_fields_that_apply() -> None:
    made = record("later", action="retry", consumer="c", topic="a.b", message_id="7", attempt=2, error="KeyError")
    found = as_json(made)
    when = datetime.fromisoformat(found.pop("time"))
    assert when.tzinfo is not None
    assert abs(when.timestamp() - made.created) < 0.01
    assert found == {
        "level": "error",
        "part": "consumer.c",
        "message": "later",
        "action": "retry",
        "consumer": "c",
        "topic": "a.b",
        "message_id": "7",
        "attempt": 2,
        "error": "KeyError",
        "thread": "MainThread",
    }


@pytest.mark.parametrize("made", [record("%s", EVIL), record("x", topic=EVIL, action=[1]), failed()])
def test_json_is_one_line_of_ascii(made: logging.LogRecord) -> None:
    line = JsonFormatter().format(made)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == made.getMessage()


@given(st.text(), st.text())
def test_json_is_one_line_whatever_comes(text: str, topic: str) -> None:
    line = JsonFormatter().format(record("%s", text, topic=topic))
    assert line.isprintable()
    assert (json.loads(line)["message"], json.loads(line)["topic"]) == (text, topic)


def test_json_has_the_traceback() -> None:
    assert "KeyError" in as_json(failed())["exception"]


def test_each_format_has_its_formatter() -> None:
    assert isinstance(formatter_of("text"), TextFormatter)
    assert isinstance(formatter_of("json"), JsonFormatter)
