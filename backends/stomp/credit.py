"""Credit: how much a client may have in hand."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hub.backends.stomp.destination import shown
from hub.backends.stomp.frame import ProtocolError
from hub.backends.stomp.head import number_of

_PREFETCH = ("prefetch-count", "activemq.prefetchSize")


class Credit(msgspec.Struct, frozen=True):
    """Most that a client may have in hand. One message is always allowed, whatever its size.

    :ivar count: messages. :ivar size: bytes of bodies.
    """

    count: int
    size: int

    def asked(self, headers: Mapping[str, str], most: int) -> Credit:
        """The credit that a SUBSCRIBE asks for; without a wish it is this one. :param most: messages, at most.

        :raises ProtocolError: it is no number, or 0, by which ActiveMQ means that the client pulls.
        """
        for name in _PREFETCH:
            if (text := headers.get(name)) is not None:
                count = number_of(text)
                if not count:
                    raise ProtocolError(f"{name} is {shown(text)}: expected a number of messages, 1 or more")
                return Credit(min(count, most), self.size)
        return self
