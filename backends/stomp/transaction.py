"""Transactions: frames that wait for their COMMIT. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from hub.backends.stomp.destination import shown
from hub.backends.stomp.frame import Frame, ProtocolError


class Transactions:
    """The open transactions of one client. What is in them is bounded in number and bytes, over all of them.

    :param most: open transactions. :param most_frames: frames in all of them. :param most_bytes: bytes of their bodies.
    """

    def __init__(self, most: int, most_frames: int, most_bytes: int) -> None:
        self._most, self._most_frames, self._most_bytes = most, most_frames, most_bytes
        self._open: dict[str, list[Frame]] = {}
        self._frames = self._bytes = 0

    def __len__(self) -> int:
        """Number of open transactions."""
        return len(self._open)

    def begin(self, name: str) -> None:
        """Open a transaction. :raises ProtocolError: it is open already, or too many are."""
        if name in self._open:
            raise ProtocolError(f"transaction {shown(name)} is open already")
        if len(self._open) >= self._most:
            raise ProtocolError(f"{self._most} transactions are open: commit or abort one of them first")
        self._open[name] = []

    def add(self, name: str, frame: Frame) -> None:
        """Keep a SEND, ACK or NACK for the COMMIT. :raises ProtocolError: there is no such transaction, or no room."""
        frames = self._get(name)
        if self._frames >= self._most_frames or self._bytes + len(frame.body) > self._most_bytes:
            text = f"at most {self._most_frames} frames and {self._most_bytes} bytes"
            raise ProtocolError(f"the open transactions are too large: {text}")
        frames.append(frame)
        self._frames += 1
        self._bytes += len(frame.body)

    def end(self, name: str) -> Sequence[Frame]:
        """Close a transaction. Returns its frames in order. :raises ProtocolError: there is none of that name."""
        frames = self._get(name)
        del self._open[name]
        self._frames -= len(frames)
        self._bytes -= sum(len(frame.body) for frame in frames)
        return frames

    def _get(self, name: str) -> list[Frame]:
        if name not in self._open:
            raise ProtocolError(f"there is no open transaction {shown(name)}")
        return self._open[name]
