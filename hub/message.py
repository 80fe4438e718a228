"""The message, immutable; it passes through the hub unchanged."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from hub import jsontext
from hub.errors import NotJSON

_decode = msgspec.json.Decoder().decode

HeaderValue = str | int | float | bool
"""Value of a header. An ``int`` has 64 bits, a ``float`` is finite; see :mod:`hub.headers`."""
Headers = Mapping[str, HeaderValue]
NO_HEADERS: Headers = MappingProxyType({})
PRIORITIES = range(10)
"""Priorities of messages in a declared queue: the highest ones are delivered first."""
DEFAULT_PRIORITY = 4
"""The priority of a message that nobody gave one, as in JMS."""


def new_id(now: float) -> str:
    """Make an id for an outgoing message, in fedmsg's form, ``YEAR-uuid4``. :param now: epoch seconds."""
    return f"{time.gmtime(now).tm_year}-{uuid.uuid4()}"


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message from a bus. It is immutable: all consumers share one object.

    A msgspec struct, not a dataclass, because the reactor's thread makes one for every message:
    0.05 us against 0.43 us for a frozen dataclass. It holds no reference cycle, so the garbage collector does not track
    it.
    """

    id: str
    """Set by the publisher, or made by the backend if the publisher set none. Not unique: buses repeat ids."""
    topic: str
    body: bytes
    headers: Headers = NO_HEADERS
    """Headers by name, with the types of the bus. A table or a list is JSON text under the name with ``.json``
    appended."""
    received_at: float = 0.0
    """Epoch seconds at which the hub received it."""
    backend: str = ""
    """Name of the backend that received it."""

    def json(self) -> Any:
        """Decode the body as JSON, anew for each caller, so that no consumer can change another's copy.

        ``NaN``, ``Infinity`` and half surrogate pairs are accepted, as by Python's own decoder.

        :raises NotJSON: the body is not JSON, or it is nested too deeply.
        """
        try:
            return _decode(self.body)  # inlined jsontext.read: each consumer calls this for each message
        except jsontext.NO_JSON:
            return self._json_leniently()

    def _json_leniently(self) -> Any:
        try:
            return jsontext.read_leniently(self.body)
        except jsontext.NO_JSON as error:
            raise NotJSON(f"the body of message {self.id!r} is not JSON: {error}") from error
