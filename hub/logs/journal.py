"""Sends log lines with their fields to systemd's journal, by its native protocol (JOURNAL_NATIVE_PROTOCOL)."""

from __future__ import annotations

import array
import errno
import fcntl
import logging
import os
import socket
import struct
import traceback

from hub.text import printable

SOCKET = "/run/systemd/journal/socket"
NO_JOURNAL = "there is no journal that takes lines: the log goes to standard error"
FIELDS = {
    "action": "ACTION",
    "hub": "HUB",
    "consumer": "CONSUMER",
    "backend": "BACKEND",
    "exporter": "EXPORTER",
    "server": "SERVER",
    "node": "NODE",
    "queue": "QUEUE",
    "topic": "TOPIC",
    "message_id": "HUBBUB_MESSAGE_ID",  # MESSAGE_ID is the journal's own: a catalogue entry's 128 bits
    "attempt": "ATTEMPT",
    "error": "ERROR",
    "repeated": "REPEATED",
}
"""Fields of the journal, by key of a log call's ``extra``."""
GONE = (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTSOCK, errno.EACCES, errno.EPERM)
"""Errors that mean there is no journal: none is installed, as in a container, or it does not run."""
PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


def encode(record: logging.LogRecord) -> bytes:
    """Encode one entry. Values with line breaks use the binary form, so that a message can't forge a field."""
    fields = {
        "MESSAGE": record.getMessage(),
        "PRIORITY": str(next((priority for level, priority in PRIORITIES if record.levelno >= level), 7)),
        "SYSLOG_IDENTIFIER": "hubbub",
        "LOGGER": record.name,
        "THREAD_NAME": record.threadName or "",
        "CODE_FILE": record.pathname,
        "CODE_LINE": str(record.lineno),
        "CODE_FUNC": record.funcName or "",
    }
    if record.exc_info and record.exc_info[1] is not None:
        fields["EXCEPTION"] = "".join(traceback.format_exception(record.exc_info[1]))
        fields["MESSAGE"] += "\n" + fields["EXCEPTION"]
    for attribute, name in FIELDS.items():
        if (value := getattr(record, attribute, None)) is not None:
            fields[name] = str(value)
    return b"".join(_field(name, value) for name, value in fields.items())


def text_of(entry: bytes) -> bytes:
    """The text of an encoded entry, its first field. Control characters are escaped, for a terminal."""
    head, _, rest = entry.partition(b"\n")
    _, equals, text = head.partition(b"=")
    if not equals:
        (length,) = struct.unpack("<Q", rest[:8])
        text = rest[8 : 8 + length]
    return "\n    ".join(map(printable, text.decode("utf-8", "replace").split("\n"))).encode(
        "utf-8", "backslashreplace"
    )


def there_is_a_journal(path: str = SOCKET) -> bool:
    """True if the journal's socket accepts entries."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
        return True


def _field(name: str, value: str) -> bytes:
    raw = value.encode("utf-8", "backslashreplace")
    if b"\n" in raw:
        return name.encode() + b"\n" + struct.pack("<Q", len(raw)) + raw + b"\n"
    return name.encode() + b"=" + raw + b"\n"


class Journald:
    """Destination of entries in the journal. While it is missing, their texts go to standard error.

    :param path: the journal's socket.
    """

    def __init__(self, path: str = SOCKET, stderr: int = 2) -> None:
        self._path = path
        self._stderr = stderr
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def encode(self, record: logging.LogRecord) -> bytes:
        """Encode a record, as :func:`encode`."""
        return encode(record)

    def send(self, entry: bytes) -> None:
        """Send an entry, and wait as long as the journal takes. One too large for a datagram is sent as a file
        descriptor.

        :raises OSError: neither the journal nor standard error accepts it.
        """
        try:
            self._socket.sendto(entry, self._path)
        except OSError as error:
            if error.errno in (errno.EMSGSIZE, errno.ENOBUFS):
                self._send_as_file(entry)
            elif error.errno in GONE:
                os.write(self._stderr, text_of(entry) + b"\n")
            else:
                raise

    def _send_as_file(self, entry: bytes) -> None:
        memory = os.memfd_create("hubbub-journal", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        try:
            os.write(memory, entry)
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
            fcntl.fcntl(memory, fcntl.F_ADD_SEALS, seals)
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [memory]))
            self._socket.sendmsg([], [rights], 0, self._path)
        finally:
            os.close(memory)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
