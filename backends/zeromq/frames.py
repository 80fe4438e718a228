"""Parser of frames into messages, without sockets or clock. Malformed input is counted by kind."""

from __future__ import annotations

import itertools
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec
import zmq

from hub import jsontext
from hub.backends.fedmsg import (
    MAX_ID,
    MAX_TOPIC,
    NONE,
    UNREADABLE,
    Envelope,
    NoEnvelope,
    Signer,
    decode_strictly,
    headers_of,
    read_odd,
)
from hub.backends.zeromq.gaps import Gaps, stem
from hub.message import NO_HEADERS, Message
from hub.text import counted

Pair = tuple[bytes, zmq.Frame]
"""Topic and body as received. The body stays in ZeroMQ's buffer until its size is checked."""
OVERSIZE_KEPT = 4096
"""Bytes of a body that is too large which are kept with the refused message."""
_CACHED_TOPICS = 10_000

Notice = Callable[[str, int, str], None]
"""See :meth:`hub.backends.log_throttle.LogThrottle.say`."""


_signer = msgspec.json.Decoder(Signer).decode


class Parser:
    """Parser of pairs of frames into messages.

    :ivar parse: ``parse(pairs, now, messages)`` appends the messages of some pairs, received at ``now``, to a list. It
        accepts any input of a peer; if it raises, that is an internal error at the last pair that it consumed.
    :ivar confirms: whether a valid body names its topic, and so confirms that the two frames belong together.
    :ivar doubts: messages that were not confirmed in that way, or were malformed.
    :ivar known: recently seen topics, by their bytes.
    :ivar malformed: malformed input, counted by kind: ``frames``, ``topic_size``, ``topic_encoding``, ``oversize``,
        ``not_json``, ``not_an_object``.
    :param refuse: called with each message that has a valid topic and an unusable body, and the reason.
    :param origin: prefix of ids for messages that have none; the default is new for each process.
    """

    def __init__(
        self,
        backend: str,
        kind: Literal["fedmsg", "raw"],
        max_message_size: int,
        refuse: Callable[[Message, str], None],
        notice: Notice,
        origin: str | None = None,
    ) -> None:
        self.malformed: Counter[str] = Counter()
        self.confirms = kind == "fedmsg"
        self.doubts = 0
        self.known: dict[bytes, str] = {}
        self.refused = 0
        self.gaps = Gaps()
        self.notice = notice
        self.parse = self._parse_fedmsg if kind == "fedmsg" else self._parse_raw
        self._backend = backend
        self._max = max_message_size
        self._refuse = refuse
        origin = secrets.token_hex(8) if origin is None else origin
        self._new_id = map(f"{origin}-{{}}".format, itertools.count(1)).__next__

    def fault(self, kind: str, text: str) -> None:
        """Count malformed input, and log it. :param text: escaped and short."""
        self.malformed[kind] += 1
        self.doubts += 1
        self.notice(f"drop {kind}", logging.WARNING, f"malformed input dropped: {text}")

    def confirmed(self, topic: bytes, body: bytes) -> bool:
        """True if the body names the topic."""
        try:
            return decode_strictly(body).topic == topic.decode()
        except UNREADABLE:
            return False

    def _parse_raw(self, pairs: Iterable[Pair], now: float, messages: list[Message]) -> None:
        for raw, frame in pairs:
            topic = self.known.get(raw) or self._topic(raw)
            if topic is None:
                continue
            if len(frame) > self._max:
                self._oversize(topic, frame, now)
                continue
            messages.append(Message(self._new_id(), topic, frame.bytes, NO_HEADERS, now, self._backend))

    def _parse_fedmsg(self, pairs: Iterable[Pair], now: float, messages: list[Message]) -> None:
        """Parse in one flat loop with local names: it runs for every message, in the reactor's thread."""
        append, known, new_id, limit, backend = (
            messages.append,
            self.known.get,
            self._new_id,
            self._max,
            self._backend,
        )
        for raw, frame in pairs:
            topic = known(raw) or self._topic(raw)
            if topic is None:
                continue
            body = frame.bytes if len(frame) <= limit else None
            if body is None:
                self._oversize(topic, frame, now)
                continue
            try:
                envelope = decode_strictly(body)
                # The decoder does not look into strings that it skips.
                if not body.isascii():
                    body.decode()
            except UNREADABLE:
                found = self._odd(topic, body, now)
                if found is None:
                    continue
                envelope = found
            if envelope.topic != topic:
                self.doubts += 1
            if envelope.seq_id is not None:
                self._number(topic, envelope.seq_id, frame)
            name, raw_headers = envelope.msg_id, envelope.headers
            headers = NO_HEADERS if raw_headers is NONE else headers_of(raw_headers)
            append(Message(name if name and len(name) <= MAX_ID else new_id(), topic, body, headers, now, backend))

    def _topic(self, raw: bytes) -> str | None:
        """Decode and cache a new topic; ``None``: it is malformed. The cache saves time, and equal topics share one
        string."""
        if not 0 < len(raw) <= MAX_TOPIC:
            self.fault("topic_size", f"a topic of {len(raw)} bytes, where 1 to {MAX_TOPIC} are expected")
            return None
        try:
            topic = raw.decode()
        except UnicodeDecodeError:
            self.fault("topic_encoding", f"a topic that is not UTF-8: {raw[:60]!r}")
            return None
        if len(self.known) >= _CACHED_TOPICS:
            self.known.clear()
        self.known[raw] = topic
        return topic

    def _oversize(self, topic: str, frame: zmq.Frame, now: float) -> None:
        text = f"{len(frame)} bytes on {topic[:60]!a}, where max_message_size is {self._max}"
        self.fault("oversize", text)
        self.refused += 1
        begin = bytes(frame.buffer[:OVERSIZE_KEPT])
        self._refuse(Message(self._new_id(), topic, begin, NO_HEADERS, now, self._backend), f"oversize: {text}")

    def _odd(self, topic: str, body: bytes, now: float) -> Envelope | None:
        """Parse a body that the strict decoder rejects. ``None``: it is unusable, and refused."""
        try:
            return read_odd(body)
        except NoEnvelope as error:
            self.fault(error.kind, f"a body on {topic[:60]!a} is {error.what}: {str(error)[:100]!a}")
            self.refused += 1
            message = Message(self._new_id(), topic, body, NO_HEADERS, now, self._backend)
            self._refuse(message, f"the body is {error.what}: {str(error)[:200]}")
            return None

    def _number(self, topic: str, seq_id: int, frame: zmq.Frame) -> None:
        """Look for a gap before the message; not if the fields that name the publisher are not texts."""
        try:
            signer = _signed_by(frame.bytes)
        except (*UNREADABLE, *jsontext.NO_JSON):
            return
        who = signer.certificate or signer.username or ""
        missing = self.gaps.note((_address(frame), who[:8192], stem(topic)), seq_id, signer.i)
        if missing:
            text = f"{counted(missing, 'message')} of {topic[:60]!a} missing before number {seq_id}"
            self.notice("miss", logging.WARNING, text)


def _signed_by(body: bytes) -> Signer:
    """Fields that identify the publisher. :raises msgspec.ValidationError: one has an unexpected type."""
    try:
        return _signer(body)
    except msgspec.ValidationError:
        raise
    except UNREADABLE:
        return msgspec.convert(jsontext.read_leniently(body), Signer)


def _address(frame: zmq.Frame) -> str:
    """Peer's address, which ZeroMQ knows for TCP only; empty: unknown."""
    try:
        return str(frame.get("Peer-Address"))
    except zmq.ZMQError:
        return ""
