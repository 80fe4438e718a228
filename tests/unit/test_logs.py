"""The log on a terminal."""

from __future__ import annotations

import logging

from twisted.internet.task import Clock

from hub.logs import PER, REPEATS, Collapse, TerminalFormatter


def record(
    text: str, *values: object, level: int = logging.ERROR, name: str = "hubbub.consumer.c"
) -> logging.LogRecord:
    return logging.LogRecord(name, level, __file__, 1, text, values, None)


def test_a_line_names_its_level_and_its_part() -> None:
    assert TerminalFormatter().format(record("hello %s", "you"))[9:] == "error   consumer.c: hello you"


def test_a_message_can_forge_neither_a_line_nor_a_colour() -> None:
    shown = TerminalFormatter().format(record("%s", "x\n12:00:00 error hub: forged\x1b[31m\r"))
    assert "\x1b" not in shown
    assert "\r" not in shown
    assert all(line.startswith("    ") for line in shown.split("\n")[1:])


def test_lines_of_one_kind_are_counted_after_the_first_few() -> None:
    clock = Clock()
    collapse = Collapse(clock.seconds)
    shown = [collapse.filter(record("failed %d", number)) for number in range(100)]
    assert sum(shown) == REPEATS
    assert collapse.filter(record("another %d", 1))
    clock.advance(PER)
    last = record("failed %d", 100)
    assert collapse.filter(last)
    assert last.getMessage() == f"failed 100 (and {100 - REPEATS} more like it)"


def test_what_comes_seldom_is_always_shown() -> None:
    clock = Clock()
    collapse = Collapse(clock.seconds)
    for _ in range(50):
        assert collapse.filter(record("tick"))
        clock.advance(PER)
