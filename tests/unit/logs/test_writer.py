"""Who logs never waits for who reads."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from hub.logs.writer import LogWriter


def record(text: str, *values: object, name: str = "hubbub.consumer.c") -> logging.LogRecord:
    return logging.LogRecord(name, logging.INFO, __file__, 1, text, values, None)


class Reader:
    """A destination that may stop reading, as a pager does."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.reads = threading.Event()
        self.reads.set()
        self.entered = threading.Event()
        self.gone = False

    def encode(self, record: logging.LogRecord) -> bytes:
        return record.getMessage().encode()

    def send(self, entry: bytes) -> None:
        self.entered.set()
        self.reads.wait()
        if self.gone:
            raise BrokenPipeError
        self.lines.append(entry.decode())

    def stop(self) -> None:
        self.entered.clear()
        self.reads.clear()


@pytest.fixture
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.reads.set()


def stuck(reader: Reader, writer: LogWriter) -> None:
    """The thread has one line in hand that nobody reads."""
    reader.stop()
    writer.write(record("in hand"))
    assert reader.entered.wait(10)


def test_lines_come_in_order(reader: Reader) -> None:
    writer = LogWriter(reader)
    for number in range(100):
        writer.write(record("%d", number))
    assert writer.flush()
    assert reader.lines == [str(number) for number in range(100)]
    writer.stop()


def test_nobody_waits_for_a_reader_that_has_stopped_and_what_is_lost_is_counted_and_told(reader: Reader) -> None:
    writer = LogWriter(reader, most_lines=10)
    stuck(reader, writer)
    for number in range(25):
        writer.write(record("%d", number))
    assert writer.lost == 16
    reader.reads.set()
    assert writer.flush()
    told = "16 lines of the log were lost: its reader did not keep up, or it could not be written"
    assert [line for line in reader.lines if line != told] == ["in hand", *map(str, range(9))]
    writer.write(record("on"))
    assert writer.flush()
    assert reader.lines.count(told) == 1
    assert reader.lines[-1] == "on"
    writer.stop()


def test_what_waits_is_bounded_in_bytes_too(reader: Reader) -> None:
    writer = LogWriter(reader, most_bytes=1000)
    stuck(reader, writer)
    for _ in range(5):
        writer.write(record("x" * 400))
    assert writer.lost == 3
    reader.reads.set()
    writer.flush()
    writer.stop()


def test_a_line_that_is_larger_than_all_that_may_wait_is_written(reader: Reader) -> None:
    writer = LogWriter(reader, most_bytes=1000)
    writer.write(record("x" * 5000))
    assert writer.flush()
    assert (len(reader.lines[0]), writer.lost) == (5000, 0)
    writer.stop()


def test_a_flush_ends_in_time(reader: Reader) -> None:
    writer = LogWriter(reader)
    stuck(reader, writer)
    assert not writer.flush(0.01)
    reader.reads.set()
    assert writer.flush()
    writer.stop()


def test_a_reader_that_is_gone_is_counted(reader: Reader) -> None:
    reader.gone = True
    writer = LogWriter(reader)
    writer.write(record("nobody reads it"))
    writer.flush()
    assert writer.lost >= 1
    writer.stop()


def test_a_child_writes_at_once_and_not_what_is_the_parents(reader: Reader) -> None:
    writer = LogWriter(reader, start=lambda run: None)  # as after a fork: the thread is not there
    writer.write(record("the parent's"))
    writer.continue_in_child()
    writer.write(record("the child's"))
    assert writer.flush()
    assert reader.lines == ["the child's"]
