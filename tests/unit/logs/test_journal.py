"""Entries as the journal's own protocol wants them, received by a real datagram socket."""

from __future__ import annotations

import logging
import os
import socket
import struct
from pathlib import Path

from hub.logs.handler import Handler
from hub.logs.journal import Journald as Destination
from hub.logs.journal import text_of
from hub.logs.writer import LogWriter
from hub.partlog import part_log


def decode(entry: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    while entry:
        line, _, rest = entry.partition(b"\n")
        if b"=" in line:
            name, _, value = line.partition(b"=")
        else:
            (length,) = struct.unpack("<Q", rest[:8])
            name, value, rest = line, rest[8 : 8 + length], rest[8 + length + 1 :]
        fields[name.decode()] = value.decode()
        entry = rest
    return fields


class Journal:
    """A handler, and what it sends."""

    def __init__(self, directory: Path, stderr: int = 2) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(directory / "journal"))
        self.socket.settimeout(5)
        self.destination = Destination(str(directory / "journal"), stderr)
        self.writer = LogWriter(self.destination)
        self.log = part_log("consumer", "journal-test")
        self.log.logger.handlers[:] = [Handler(self.writer)]
        self.log.logger.propagate = False
        self.log.logger.setLevel(logging.DEBUG)

    def receive(self) -> dict[str, str]:
        entry, descriptors, _, _ = socket.recv_fds(self.socket, 1 << 20, 1)
        if descriptors:
            with os.fdopen(descriptors[0], "rb") as file:
                file.seek(0)
                entry = file.read()
        return decode(entry)

    def close(self) -> None:
        self.log.logger.handlers.clear()
        self.writer.flush()
        self.writer.stop()
        self.destination.close()
        self.socket.close()


def test_an_entry_has_the_fields_of_its_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.log.warning("later: %s", "x", extra={"action": "retry", "topic": "a.b", "message_id": "7", "attempt": 2})
    found = journal.receive()
    journal.close()
    assert found["MESSAGE"] == "later: x"
    assert (found["CONSUMER"], found["ACTION"], found["TOPIC"]) == ("journal-test", "retry", "a.b")
    assert (found["HUBBUB_MESSAGE_ID"], found["ATTEMPT"], found["PRIORITY"]) == ("7", "2", "4")
    assert found["CODE_FILE"].endswith("test_journal.py")


def test_a_message_can_not_forge_a_field(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.log.error("evil\nPRIORITY=0\nCONSUMER=root")
    found = journal.receive()
    journal.close()
    assert (found["PRIORITY"], found["CONSUMER"]) == ("3", "journal-test")
    assert found["MESSAGE"] == "evil\nPRIORITY=0\nCONSUMER=root"


def test_an_exception_comes_with_its_traceback(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    try:
        raise KeyError("lost")
    except KeyError as error:
        journal.log.error("failed", exc_info=error)
    found = journal.receive()
    journal.close()
    assert "KeyError: 'lost'" in found["EXCEPTION"]


def test_an_entry_that_is_too_large_for_a_datagram_goes_as_a_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.log.info("x" * 2_000_000)
    found = journal.receive()
    journal.close()
    assert len(found["MESSAGE"]) == 2_000_000


def test_what_a_journal_that_is_gone_can_not_take_goes_to_stderr(tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("wb") as stderr:
        journal = Journal(tmp_path, stderr.fileno())
        (tmp_path / "journal").unlink()
        journal.log.error("one line")
        journal.log.error("two\nlines \x1b[31m")
        journal.close()
    assert (tmp_path / "stderr").read_text() == "one line\ntwo\n    lines \\x1b[31m\n"
    assert journal.writer.lost == 0


def test_the_text_of_an_entry_is_what_was_logged() -> None:
    record = logging.LogRecord("a", logging.INFO, __file__, 1, "MESSAGE=%s", ("1=2",), None)
    assert text_of(Destination().encode(record)) == b"MESSAGE=1=2"
