"""The seal of announcements: a JSON object of the text and its signature, by a key that the hubs share. Pure.

The text is a text within JSON, so that every format of a bus keeps its bytes as they were signed.
"""

from __future__ import annotations

import hmac

import msgspec

from hub.cluster.announcement import MOST_BYTES, Announcement, read, written
from hub.status.states import RefusalReason

WORST = 2 * MOST_BYTES + 16384
"""Bytes of a sealed announcement at most: its text has many quotation marks, which JSON escapes. An envelope has a few
hundred, with a signature and its certificate some thousand."""
LEAST_KEY = 16
"""Bytes that a key must have."""


class RefusedAnnouncement(Exception):
    """An announcement is refused. :ivar reason: a word, by which it is counted."""

    def __init__(self, reason: RefusalReason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class _Sealed(msgspec.Struct):
    announcement: str
    signature: str = ""


class _Enveloped(msgspec.Struct):
    msg: _Sealed
    """What was published, in fedmsg's envelope: such a bus has no body without one."""


_decoder = msgspec.json.Decoder(_Sealed)
_in_envelope = msgspec.json.Decoder(_Enveloped)


class Seal:
    """Seals the announcements of one topic, and opens those of others.

    :param keys: shared by all hubs: the first one signs, and what is signed with any of them is taken. None: nothing is
        signed, and everybody's announcements are taken.
    """

    def __init__(self, topic: str, *keys: bytes) -> None:
        self.signs = bool(keys)
        self._keys = keys
        self._head = f"hubbub announcement 1\n{topic}\n".encode()

    def close(self, announcement: Announcement) -> bytes:
        """The body of a message with an announcement."""
        text = written(announcement)
        return msgspec.json.encode(_Sealed(text, self._signature(text)))

    def open(self, body: bytes) -> Announcement:
        """Open a body. :raises RefusedAnnouncement: it is no announcement, or nobody who has the key has made it."""
        if len(body) > WORST:
            raise RefusedAnnouncement("too_large", f"it has {len(body)} bytes")
        sealed = _sealed(body)
        if self._keys:
            if not sealed.signature:
                raise RefusedAnnouncement("unsigned", "it is not signed")
            given, text = sealed.signature.encode("utf-8", "replace"), sealed.announcement
            if not any(hmac.compare_digest(given, self._signed(text, key)) for key in self._keys):
                raise RefusedAnnouncement("forged", "it is signed with another key")
        if len(sealed.announcement) > MOST_BYTES:
            raise RefusedAnnouncement("too_large", f"it has {len(sealed.announcement)} characters")
        try:
            return read(sealed.announcement)
        except ValueError as error:
            raise RefusedAnnouncement("malformed", str(error)) from error

    def _signature(self, text: str) -> str:
        return self._signed(text, self._keys[0]).decode() if self._keys else ""

    def _signed(self, text: str, key: bytes) -> bytes:
        return hmac.new(key, self._head + text.encode("utf-8", "replace"), "sha256").hexdigest().encode()


def _sealed(body: bytes) -> _Sealed:
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        try:
            return _in_envelope.decode(body).msg
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise RefusedAnnouncement("malformed", str(error)) from error
