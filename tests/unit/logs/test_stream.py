"""Lines to a file descriptor that may not take them."""

from __future__ import annotations

import logging
import os
import select

from hub.logs.formats import TextFormatter
from hub.logs.handler import Handler
from hub.logs.stream import LogStream
from hub.logs.writer import LogWriter
from tests.support import wait_until


def record(text: str, *values: object, name: str = "hubbub.consumer.c") -> logging.LogRecord:
    return logging.LogRecord(name, logging.INFO, __file__, 1, text, values, None)


def test_a_pipe_that_is_full_holds_up_nobody() -> None:
    out, into = os.pipe()
    writer = LogWriter(LogStream(TextFormatter(), into), most_lines=5)
    handler = Handler(writer)
    for number in range(2000):
        handler.handle(record("%s", "abcdefghij"[number % 10] * 1000, name=f"hubbub.consumer.c{number}"))
    assert writer.lost > 0
    with os.fdopen(out, "rb") as pipe:
        while not writer.flush(0.05):  # its thread is in a write(), which ends once there is room
            if select.select([pipe], [], [], 0)[0]:
                assert pipe.read1(1 << 20)
    writer.stop()
    os.close(into)


def test_a_descriptor_that_does_not_block_is_waited_for() -> None:
    out, into = os.pipe()
    os.set_blocking(into, False)
    writer = LogWriter(LogStream(TextFormatter(), into))
    big = "x" * 200_000
    writer.write(record(big))
    with os.fdopen(out, "rb") as pipe:
        read = b""
        while big.encode() not in read:
            read += pipe.read1(1 << 16)
    wait_until(lambda: writer.flush(0.1))
    assert writer.lost == 0
    writer.stop()
    os.close(into)
