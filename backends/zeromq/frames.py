"""From frames to messages. No sockets, no clock: what comes in goes out, or is counted under the kind of its fault."""

from __future__ import annotations

import itertools
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

import msgspec
import zmq

from hub import jsontext
from hub.backends.zeromq.fedmsg import NONE, Envelope, Signer, headers_of, lenient_envelope
from hub.backends.zeromq.gaps import Gaps, stem
from hub.message import NO_HEADERS, Message
from hub.text import counted

Pair = tuple[bytes, zmq.Frame]
"""A topic and a body as they came. The body stays ZeroMQ's until it is known to be of a bearable size."""
MAX_TOPIC = 1024
"""Bytes. fedmsg's are under 100; they are keys of caches and columns of databases."""
MAX_ID = 256
OVERSIZE_KEPT = 4096
"""Bytes of a body that is too large which go to who wants to know what it was."""
_CACHED_TOPICS = 10_000
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

T = TypeVar("T")
Notice = Callable[[str, int, str], None]
"""See :meth:`hub.backends.zeromq.notices.Notices.say`."""


class Raw(msgspec.Struct):
    """An envelope with fields of any type, for bodies whose ``msg_id`` or ``seq_id`` is odd."""

    msg_id: msgspec.Raw = msgspec.Raw(b"null")
    seq_id: msgspec.Raw = msgspec.Raw(b"null")
    headers: msgspec.Raw = NONE


_envelope = msgspec.json.Decoder(Envelope).decode
_raw = msgspec.json.Decoder(Raw).decode
_signer = msgspec.json.Decoder(Signer).decode
_structure = msgspec.json.Decoder(msgspec.Raw).decode
_text = msgspec.json.Decoder(str).decode
_whole = msgspec.json.Decoder(int).decode


class Parser:
    """Makes messages of pairs of frames.

    :ivar parse: appends the messages made of some pairs, received at that time, to a list. It takes whatever a peer may
        send; should it raise, that is a fault of the hub, met while it had the last pair that it took.
    :ivar malformed: how often each kind of fault was met: ``frames``, ``topic_size``, ``topic_encoding``, ``oversize``,
        ``not_json``, ``not_an_object``.
    :param refuse: given the messages of an intelligible topic whose body is no use, with the reason.
    :param origin: starts the ids of messages that have none; the default is new for each process.
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
        self.refused = 0
        self.gaps = Gaps()
        self.notice = notice
        self.parse = self._parse_fedmsg if kind == "fedmsg" else self._parse_raw
        self._backend = backend
        self._max = max_message_size
        self._refuse = refuse
        self._topics: dict[bytes, str] = {}
        origin = secrets.token_hex(8) if origin is None else origin
        self._new_id = map(f"{origin}-{{}}".format, itertools.count(1)).__next__

    def fault(self, kind: str, text: str) -> None:
        """Count malformed input. ``text`` is for the log: escaped, short."""
        self.malformed[kind] += 1
        self.notice(f"drop {kind}", logging.WARNING, f"malformed input dropped: {text}")

    def _parse_raw(self, pairs: Iterable[Pair], now: float, messages: list[Message]) -> None:
        for raw, frame in pairs:
            topic = self._topics.get(raw) or self._topic(raw)
            if topic is None:
                continue
            if len(frame) > self._max:
                self._oversize(topic, frame, now)
                continue
            messages.append(Message(self._new_id(), topic, frame.bytes, NO_HEADERS, now, self._backend))

    def _parse_fedmsg(self, pairs: Iterable[Pair], now: float, messages: list[Message]) -> None:
        """One flat loop with local names: it runs for every message, in the reactor's thread."""
        append, known, new_id, limit, backend = (
            messages.append,
            self._topics.get,
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
                envelope = _envelope(body)
                # The decoder does not look into strings that it skips.
                if not body.isascii():
                    body.decode()
            except _UNREADABLE:
                found = self._odd(topic, body, now)
                if found is None:
                    continue
                envelope = found
            if envelope.seq_id is not None:
                self._number(topic, envelope.seq_id, frame)
            name, raw_headers = envelope.msg_id, envelope.headers
            headers = NO_HEADERS if raw_headers is NONE else headers_of(raw_headers)
            append(Message(name if name and len(name) <= MAX_ID else new_id(), topic, body, headers, now, backend))

    def _topic(self, raw: bytes) -> str | None:
        """A topic not met lately. Cached, for decoding each anew is slower, and equal topics share one string."""
        if not 0 < len(raw) <= MAX_TOPIC:
            self.fault("topic_size", f"a topic of {len(raw)} bytes, where 1 to {MAX_TOPIC} are expected")
            return None
        try:
            topic = raw.decode()
        except UnicodeDecodeError:
            self.fault("topic_encoding", f"a topic that is not UTF-8: {raw[:60]!r}")
            return None
        if len(self._topics) >= _CACHED_TOPICS:
            self._topics.clear()
        self._topics[raw] = topic
        return topic

    def _oversize(self, topic: str, frame: zmq.Frame, now: float) -> None:
        text = f"{len(frame)} bytes on {topic[:60]!a}, where max_message_size is {self._max}"
        self.fault("oversize", text)
        self.refused += 1
        begin = bytes(frame.buffer[:OVERSIZE_KEPT])
        self._refuse(Message(self._new_id(), topic, begin, NO_HEADERS, now, self._backend), f"oversize: {text}")

    def _odd(self, topic: str, body: bytes, now: float) -> Envelope | None:
        """What the strict decoder would not take: a field of an odd type, JSON as only Python's decoder takes it, or no
        use at all."""
        try:
            body.decode()
            _structure(body)
        except _UNREADABLE:
            return self._lenient(topic, body, now)
        try:
            odd = _raw(body)
        except msgspec.ValidationError:
            self._bury(topic, body, now, "not_an_object", f"it starts with {body[:20]!r}")
            return None
        return Envelope(_field(_text, odd.msg_id), _field(_whole, odd.seq_id), odd.headers)

    def _lenient(self, topic: str, body: bytes, now: float) -> Envelope | None:
        try:
            content = jsontext.read_leniently(body)
        except jsontext.NO_JSON as error:
            self._bury(topic, body, now, "not_json", str(error))
            return None
        if isinstance(content, dict):
            return lenient_envelope(content)
        self._bury(topic, body, now, "not_an_object", f"it starts with {body[:20]!r}")
        return None

    def _bury(self, topic: str, body: bytes, now: float, kind: str, why: str) -> None:
        words = kind.replace("_", " ").replace("json", "JSON").replace("object", "object of JSON")
        self.fault(kind, f"a body on {topic[:60]!a} is {words}: {why[:100]!a}")
        self.refused += 1
        message = Message(self._new_id(), topic, body, NO_HEADERS, now, self._backend)
        self._refuse(message, f"the body is {words}: {why[:200]}")

    def _number(self, topic: str, seq_id: int, frame: zmq.Frame) -> None:
        """Look for a gap before the message; not where what names the publisher is no text."""
        try:
            signer = _signed_by(frame.bytes)
        except (*_UNREADABLE, *jsontext.NO_JSON):
            return
        who = signer.certificate or signer.username or ""
        missing = self.gaps.note((_address(frame), who[:8192], stem(topic)), seq_id, signer.i)
        if missing:
            text = f"{counted(missing, 'message')} of {topic[:60]!a} missing before number {seq_id}"
            self.notice("miss", logging.WARNING, text)


def _signed_by(body: bytes) -> Signer:
    """:raises msgspec.ValidationError: one of the fields has an odd type."""
    try:
        return _signer(body)
    except msgspec.ValidationError:
        raise
    except _UNREADABLE:
        return msgspec.convert(jsontext.read_leniently(body), Signer)


def _field(decode: Callable[[msgspec.Raw], T], raw: msgspec.Raw) -> T | None:
    """A field of one type, ``None`` where it is of another: that is not even built, for it may be of any size."""
    try:
        return decode(raw)
    except _UNREADABLE:
        return None


def _address(frame: zmq.Frame) -> str:
    """Where it came from, as far as ZeroMQ knows: it does of TCP."""
    try:
        return str(frame.get("Peer-Address"))
    except zmq.ZMQError:
        return ""
