"""Connections of the load generator: raw sockets, frames that are prepared or only searched, no parser."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator

PATIENCE = 30.0
"""Seconds to wait for an answer."""
CHUNK = 1 << 20
UNACKED = 1000
"""Messages that a subscriber may have and not have acknowledged."""
_CONNECT = b"CONNECT\naccept-version:1.2\nhost:/\nlogin:guest\npasscode:guest\nheart-beat:0,0\n\n\0"
_ACK = re.compile(rb"\nack:([^\n]*)\n")
_STAMP = re.compile(rb'"t":"(\d{16})"')


class Connection:
    """Connection of one client that has logged in, with a socket that does not block.

    :raises RuntimeError: the server refused it, or did not answer in time.
    """

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._rest = b""
        self._unsent = b""
        self.ask(_CONNECT, b"CONNECTED")
        self.socket.setblocking(False)

    def ask(self, frame: bytes, answer: bytes) -> None:
        """Send a frame, and wait for the command of the answer. Only while nothing else comes."""
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.sendall(frame)
            while answer not in (complete := self.complete()):
                if b"ERROR" in complete:
                    raise RuntimeError(f"the server refused {frame!r}: {complete[-500:]!r}")
        except OSError as error:
            raise RuntimeError(f"no answer to {frame!r}: {error}") from None
        self.socket.setblocking(False)

    def complete(self) -> bytes:
        """Read once. :returns: the frames that are complete now; no body contains NUL.

        :raises RuntimeError: the server has closed the connection.
        """
        data = self.socket.recv(CHUNK)
        if not data:
            raise RuntimeError(f"the server closed the connection: {self._rest[-500:]!r}")
        data = self._rest + data
        end = data.rfind(b"\0") + 1
        self._rest = data[end:]
        return data[:end]

    @property
    def unsent(self) -> bool:
        """True if the socket did not take all yet."""
        return bool(self._unsent)

    def send(self, data: bytes = b"") -> None:
        """Send what the socket takes; the rest goes with the next calls."""
        data = self._unsent + data
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        self._unsent = data[sent:]


class Publisher(Connection):
    """Publisher, with frames of which only stamps and receipts differ.

    :param body: has ``0000000000000000`` where the stamp is.
    """

    def __init__(self, port: int, destination: str, persistent: bool, body: bytes) -> None:
        super().__init__(port)
        persistence = b"persistent:true\n" if persistent else b""
        head = b"SEND\ndestination:%b\ncontent-type:application/json\n%b" % (destination.encode(), persistence)
        self._receipts = persistent
        self._before, self._body = head, b"content-length:%d\n\n%b\0" % (len(body), body)
        self.sent = self.confirmed = 0

    def publish(self, count: int, stamped: bool) -> None:
        """Send so many messages. :param stamped: whether they contain the time."""
        content = self._body.replace(b"0" * 16, b"%016d" % time.monotonic_ns()) if stamped else self._body
        if self._receipts:
            frame = self._before + b"receipt:%d\n" + content.replace(b"%", b"%%")
            data = b"".join([frame % number for number in range(self.sent, self.sent + count)])
        else:
            data = (self._before + content) * count
        self.sent += count
        self.send(data)

    @property
    def unconfirmed(self) -> int:
        """Messages whose receipt has not come."""
        return self.sent - self.confirmed if self._receipts else 0

    def read(self) -> None:
        """Count receipts. :raises RuntimeError: an ERROR came."""
        frames = self.complete()
        self.confirmed += frames.count(b"RECEIPT\n")
        if b"ERROR\n" in frames:
            raise RuntimeError(f"the server refused a message: {frames[-500:]!r}")


class Subscriber(Connection):
    """Subscriber, which acknowledges together what one read brought.

    :param ack: as in SUBSCRIBE. :param latencies: gets the latency of each message, in ns; ``None``: not wanted.
    """

    def __init__(self, port: int, destination: str, ack: str, latencies: list[int] | None = None) -> None:
        super().__init__(port)
        self.received = 0
        self._latencies = latencies
        self._acks = {"auto": _none, "client": _last, "client-individual": _each}[ack]
        head = f"SUBSCRIBE\nid:0\ndestination:{destination}\nack:{ack}\nreceipt:subscribed\n"
        bounds = f"prefetch-count:{UNACKED}\nactivemq.prefetchSize:{UNACKED}\n"
        self.ask(f"{head}{bounds if ack != 'auto' else ''}\n\0".encode(), b"RECEIPT")

    def read(self) -> int:
        """Count messages, and acknowledge them. :returns: their number."""
        frames = self.complete()
        count = frames.count(b"MESSAGE\n")
        self.received += count
        if self._latencies is not None:
            now = time.monotonic_ns()
            self._latencies += [now - int(stamp) for stamp in _STAMP.findall(frames)]
        if acks := b"".join([b"ACK\nid:%b\n\n\0" % one for one in self._acks(frames)]):
            self.send(acks)
        return count

    def end(self) -> None:
        """Disconnect, once the server has handled all acknowledgements."""
        rest, self._unsent = self._unsent, b""
        self.ask(rest + b"DISCONNECT\nreceipt:end\n\n\0", b"RECEIPT")
        self.socket.close()


def _none(frames: bytes) -> Iterator[bytes]:
    """No id: nothing is to be acknowledged."""
    return iter(())


def _last(frames: bytes) -> Iterator[bytes]:
    """Id of the last message: all before it are acknowledged, too."""
    at = frames.rfind(b"\nack:")
    if at >= 0:
        yield frames[at + 5 : frames.index(b"\n", at + 5)]


def _each(frames: bytes) -> Iterator[bytes]:
    """Id of each message."""
    return iter(_ACK.findall(frames))
